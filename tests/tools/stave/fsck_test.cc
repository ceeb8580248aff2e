#include <filesystem>
#include <string>
#include <string_view>
#include <vector>

#include "gmock/gmock.h"
#include "gtest/gtest.h"
#include "nlohmann/json.hpp"
#include "tests/tools/stave/program_fixture.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using testing::AllOf;
using testing::HasSubstr;

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

TEST_F(FsckTest, NothingIsChangedAndNothingMade) {
  Damage("value of banana");
  const std::string before = BytesOf(Store() + "/" + FileOf(".seg"));
  Run({"fsck"});
  EXPECT_EQ(BytesOf(Store() + "/" + FileOf(".seg")), before);
  EXPECT_THAT(Run({"fsck", "--store", Path("none")}),
              Fails(5, "there is no store"));
  EXPECT_FALSE(std::filesystem::exists(Path("none")));
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
