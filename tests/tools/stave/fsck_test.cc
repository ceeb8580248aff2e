#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"
#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;
using testing::Not;

// A store of three records.
class FsckTest : public ProgramTest {
 protected:
  FsckTest() {
    for (const char* key : {"apple", "banana", "cherry"}) {
      EXPECT_THAT(Run({"put", key, std::string("value of ") + key}),
                  Prints(""));
    }
  }

  std::string FileOf(std::string_view start_or_end) const {
    for (const auto& entry : std::filesystem::directory_iterator(Store())) {
      const std::string name = entry.path().filename();
      if (name.starts_with(start_or_end) || name.ends_with(start_or_end)) {
        return name;
      }
    }
    return "";
  }
  // Changes a byte of what stands in the segment.
  void Damage(std::string_view text) const {
    const std::string name = "store/" + FileOf(".seg");
    std::string bytes = BytesOf(Path(name));
    const size_t found = bytes.find(text);
    ASSERT_NE(found, std::string::npos) << text;
    bytes[found] ^= 1;
    WriteFile(name, bytes);
  }
  void LoseTheManifest() const {
    std::filesystem::remove(Store() + "/" + FileOf("MANIFEST-"));
  }
};

TEST_F(FsckTest, ACleanStoreIsToldSo) {
  const Ran ran = Run({"fsck"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("Clean: 3 records sound"));
  EXPECT_EQ(ran.error, "");
  EXPECT_THAT(Run({"fsck", "--json"}),
              Prints("{\"clean\":true,\"records\":3,\"damage\":[]}\n"));
}

TEST_F(FsckTest, DamageIsListedAndTheExitCodeIsThree) {
  Damage("value of banana");
  const Ran ran = Run({"fsck"});
  EXPECT_EQ(ran.exit_code, 3) << ran;
  EXPECT_THAT(ran.out,
              AllOf(HasSubstr(FileOf(".seg") + ", offset "),
                    HasSubstr("body; lost: 1 record; its key reads 'banana'"),
                    HasSubstr("Damaged: 2 records sound"),
                    HasSubstr("1 damaged place, 1 record lost")))
      << ran;
  EXPECT_THAT(ran.error, HasSubstr("fsck --repair"));
}

TEST_F(FsckTest, JsonHasTheDocumentedFields) {
  Damage("value of banana");
  const Ran ran = Run({"fsck", "--json"});
  EXPECT_EQ(ran.exit_code, 3) << ran;
  const json report = json::parse(ran.out);
  EXPECT_EQ(report.size(), 3u) << ran;
  EXPECT_EQ(report["clean"], false);
  EXPECT_EQ(report["records"], 2);
  ASSERT_EQ(report["damage"].size(), 1u) << ran;
  const json damage = report["damage"][0];
  EXPECT_EQ(damage.size(), 4u) << ran;
  EXPECT_EQ(damage["file"], FileOf(".seg"));
  EXPECT_GT(damage["offset"], 0);
  EXPECT_EQ(damage["length"], 48);
  EXPECT_THAT(damage["what"], HasSubstr("checksum"));
}

TEST_F(FsckTest, ALostManifestIsDamage) {
  LoseTheManifest();
  const Ran ran = Run({"fsck"});
  EXPECT_EQ(ran.exit_code, 3) << ran;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("MANIFEST"), HasSubstr("missing"),
                             HasSubstr("3 records sound")));
}

TEST_F(FsckTest, OtherCommandsThatMeetDamagePointHere) {
  Damage("value of banana");
  EXPECT_THAT(Run({"get", "apple"}), Fails(3, "`stave fsck`"));
  EXPECT_THAT(Run({"put", "apple", "x"}), Fails(3, "`stave fsck`"));
}

TEST_F(FsckTest, WhatIsSoundIsCopied) {
  Damage("value of banana");
  const Ran ran = Run({"fsck", "--repair", Path("to")});
  EXPECT_EQ(ran.exit_code, 3) << ran;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("its key reads 'banana'"),
                             HasSubstr("Copied 2 keys to " + Path("to")),
                             HasSubstr("1 record lost")));
  EXPECT_THAT(Run({"keys", "--sort", "--store", Path("to")}),
              Prints("apple\ncherry\n"));
  EXPECT_EQ(Run({"fsck", "--store", Path("to")}).exit_code, 0);
}

TEST_F(FsckTest, TheJsonOfARepairHasTwoFieldsMore) {
  LoseTheManifest();
  const Ran ran = Run({"fsck", "--repair", Path("to"), "--json"});
  EXPECT_EQ(ran.exit_code, 3) << ran;
  const json report = json::parse(ran.out);
  EXPECT_EQ(report.size(), 5u) << ran;
  EXPECT_EQ(report["records"], 3);
  EXPECT_EQ(report["recovered"], 3);
  EXPECT_EQ(report["lost"], 0);
}

TEST_F(FsckTest, ASoundStoreCanBeCopiedToo) {
  const Ran ran = Run({"fsck", "--repair", Path("to")});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(Run({"count", "--store", Path("to")}), Prints("3\n"));
}

TEST_F(FsckTest, ARepairNeedsAnEmptyPlaceAndPermission) {
  EXPECT_THAT(Run({"fsck", "--repair", Store()}), Fails(5, "something in"));
  EXPECT_THAT(Run({"fsck", "--repair", Path("no/where")}),
              Fails(5, "no/where"));
  EXPECT_THAT(Run({"fsck", "--repair", WriteFile("file", "")}),
              Fails(5, Path("file") + " is not a directory\n"));
  EXPECT_THAT(Run({"fsck", "--repair", ""}), Fails(2, "name"));
  EXPECT_THAT(Run({"fsck", "--repair", Store() + "/to"}),
              Fails(2, "own directory"));
  EXPECT_THAT(Run({"--read-only", "fsck", "--repair", Path("to")}),
              Fails(2, "--read-only"));
  EXPECT_FALSE(std::filesystem::exists(Path("to")));
}

TEST_F(FsckTest, AClockThatWasAheadIsShownAndReset) {
  EXPECT_THAT(Run({"fsck", "--reset-clock"}).out,
              HasSubstr("nothing was changed"));
  EXPECT_THAT(Run({"stat"}).out, Not(HasSubstr("no time before")));
  {
    ManualClock clock(absl::FromUnixSeconds(4'000'000'000));
    Options options;
    options.clock = &clock;
    const auto store = stave::Store::Open(Store(), options).value();
    EXPECT_TRUE(store->Put("durian", "x").ok());
    EXPECT_TRUE(store->Close().ok());
  }
  EXPECT_THAT(Run({"stat"}).out, HasSubstr("no time before       2096-10-02"));
  EXPECT_THAT(Run({"--read-only", "fsck", "--reset-clock"}), Fails(2, "only"));
  const Ran ran = Run({"fsck", "--reset-clock"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, AllOf(HasSubstr("2096-10-02"), HasSubstr("set back")));
  EXPECT_THAT(Run({"stat"}).out, Not(HasSubstr("no time before")));
  EXPECT_THAT(Run({"count"}), Prints("4\n"));
}

TEST_F(FsckTest, NothingIsChangedAndNothingMade) {
  Damage("value of banana");
  const std::string before = BytesOf(Store() + "/" + FileOf(".seg"));
  Run({"fsck"});
  EXPECT_EQ(BytesOf(Store() + "/" + FileOf(".seg")), before);
  EXPECT_THAT(Run({"fsck", "--store", Path("none")}),
              Fails(5, "there is no store"));
  EXPECT_FALSE(std::filesystem::exists(Path("none")));
}

// Hint files only make an open faster, and every other command goes without.
TEST_F(FsckTest, WhatHasAHintFilesNameButIsNoneHidesNothing) {
  EXPECT_THAT(Run({"delete", "apple"}), Prints("1\n"));
  EXPECT_EQ(Run({"merge", "--all"}).exit_code, 0);
  const std::string hint = Store() + "/" + FileOf(".hint");
  ASSERT_TRUE(std::filesystem::remove(hint)) << hint;
  std::filesystem::create_directory(hint);
  EXPECT_THAT(Run({"get", "banana"}), Prints("value of banana\n"));
  EXPECT_THAT(Run({"fsck"}).out, HasSubstr("2 records sound"));
  EXPECT_THAT(Run({"fsck", "--repair", Path("to")}).out, HasSubstr("2 keys"));
}

TEST_F(FsckTest, ASegmentThatIsNoFileIsDamageAndTheRestIsKept) {
  EXPECT_THAT(Run({"delete", "apple"}), Prints("1\n"));
  EXPECT_EQ(Run({"merge", "--all"}).exit_code, 0);
  EXPECT_THAT(Run({"put", "cherry", "x"}), Prints(""));
  const std::string name = FileOf(".seg");
  std::filesystem::remove(Store() + "/" + name);
  std::filesystem::create_directory(Store() + "/" + name);
  const Ran checked = Run({"fsck"});
  EXPECT_EQ(checked.exit_code, 3) << checked;
  EXPECT_THAT(checked.out, HasSubstr(name + ", offset 0"));
  EXPECT_THAT(checked.out, HasSubstr("not a regular file"));
  const Ran repaired = Run({"fsck", "--repair", Path("to")});
  EXPECT_EQ(repaired.exit_code, 3) << repaired;
  EXPECT_THAT(repaired.out, HasSubstr("Copied "));
}

TEST_F(FsckTest, AStoreInUseCanBeChecked) {
  Running shell = Start({"shell"});
  shell.pipes->Send("SET durian x\n");
  EXPECT_THAT(shell.pipes->ReadUntil("OK\n"), HasSubstr("OK"));
  const Ran ran = Run({"fsck"});
  EXPECT_EQ(ran.exit_code, 0) << ran;
  EXPECT_THAT(ran.out, HasSubstr("4 records"));
  shell.pipes->EndInput();
  EXPECT_EQ(shell.process->Wait(), 0);
}

}  // namespace
}  // namespace stave::tool
