#include <filesystem>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/statistics.h"
#include "stave/store.h"
#include "tests/engine/core/changing_store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// Hint files, seen from outside: what a store is, it is without them too.
class HintTest : public ChangingStoreFixture {
 protected:
  static bool IsHint(const std::string& name) {
    return name.ends_with(".hint");
  }
  static std::vector<std::string> HintNames(const DirectoryImage& image) {
    std::vector<std::string> names;
    for (const auto& [name, bytes] : image) {
      if (IsHint(name)) names.push_back(name);
    }
    return names;
  }
  static uint64_t HintBytes(const DirectoryImage& image) {
    uint64_t bytes = 0;
    for (const std::string& name : HintNames(image)) {
      bytes += image.at(name).size();
    }
    return bytes;
  }
  // What the store in `image` shows, and counts.
  std::string StateOf(const DirectoryImage& image) {
    WriteDirectory(path(), image);
    Open();
    const std::string state = Shown();
    Close();
    return state;
  }
  // Spoils all records of the sealed segments.
  static DirectoryImage WithoutSealedRecords(DirectoryImage image) {
    for (const std::string& name : HintNames(image)) {
      std::string& bytes = image[name.substr(0, 16) + ".seg"];
      for (size_t at = 32; at < bytes.size(); ++at) bytes[at] = '#';
    }
    return image;
  }
};

TEST_F(HintTest, EachSealedSegmentHasOne) {
  MakeStore();
  const DirectoryImage image = Image();
  const std::vector<std::string> segments = SegmentNames(image);
  ASSERT_GT(segments.size(), 5u);
  ASSERT_EQ(HintNames(image).size(), segments.size() - 1);
  for (size_t i = 0; i + 1 < segments.size(); ++i) {
    EXPECT_EQ(image.count(segments[i].substr(0, 16) + ".hint"), 1u);
  }
}

TEST_F(HintTest, AStoreIsTheSameWithAndWithout) {
  options.background_merge = false;  // many segments are wanted
  for (unsigned seed = 1; seed <= 30; ++seed) {
    SCOPED_TRACE(absl::StrCat("seed ", seed));
    std::filesystem::create_directory(path());
    WriteDirectory(path(), {});
    options.recovery_threads = static_cast<int>(1 + seed % 3);
    Open();
    ChangeAtRandom(seed, 400);
    seed % 2 == 0 ? Close() : Kill();
    const DirectoryImage with = Image();
    ASSERT_GT(HintNames(with).size(), 5u);
    DirectoryImage some = with;
    for (const std::string& name : HintNames(with)) {
      if (name[15] % 3 == static_cast<char>(seed % 3)) some.erase(name);
    }
    const std::string state = StateOf(WithoutHints(with));
    EXPECT_EQ(StateOf(with), state);
    EXPECT_EQ(StateOf(some), state);
  }
}

// So many records are loaded in another way than few.
TEST_F(HintTest, AStoreOfManyRecordsIsTheSameWithAndWithout) {
  options.segment_size_bytes = 1 << 20;
  options.background_merge = false;
  Open();
  std::mt19937 random(1);
  for (int i = 0; i < 90; ++i) {
    WriteBatch batch;
    for (int j = 0; j < 1000; ++j) {
      const std::string key = absl::StrCat("key", random() % 50'000);
      random() % 5 == 0 ? batch.Delete(key) : batch.Put(key, ValueOf(i, 8));
    }
    Write(batch);
  }
  Close();
  const DirectoryImage with = Image();
  ASSERT_GT(HintNames(with).size(), 2u);
  const std::string state = StateOf(with);
  EXPECT_TRUE(StateOf(WithoutHints(with)) == state);  // much to print
}

TEST_F(HintTest, OpenDoesNotReadWhatAHintTells) {
  Open();
  ChangeAtRandom(1, 500);
  Close();
  const DirectoryImage good = Image();
  Open();
  const Statistics expected = store().GetStatistics();
  Close();
  WriteDirectory(path(), WithoutSealedRecords(good));
  Open();
  const Statistics statistics = store().GetStatistics();
  EXPECT_EQ(statistics.keys, expected.keys);
  EXPECT_EQ(statistics.live_bytes, expected.live_bytes);
}

TEST_F(HintTest, WhatIsDamagedInASegmentIsReportedByReads) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string name = SegmentNames(good).at(1);
  const int header = 32 + 12, key_itself = 32 + 24, value_itself = 32 + 40;
  for (const int at : {header, key_itself, value_itself}) {
    DirectoryImage damaged = good;
    damaged[name].at(at) ^= 0x10;
    WriteDirectory(path(), damaged);
    Open();
    std::string reported;
    for (const auto& [key, value] : contents_) {
      const std::string now = Get(key);
      if (now != value) absl::StrAppend(&reported, now);
    }
    EXPECT_EQ(reported, "DATA_LOSS");
    Close();
    // Without the hint Open reads the segment itself.
    damaged.erase(name.substr(0, 16) + ".hint");
    WriteDirectory(path(), damaged);
    EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
  }
}

TEST_F(HintTest, ADamagedOneIsPassedOverAndMadeAnew) {
  MakeStore();
  const DirectoryImage good = Image();
  const std::string state = StateOf(good);
  for (const std::string& name : HintNames(good)) {
    const std::string& whole = good.at(name);
    for (size_t at = 0; at < whole.size(); at += 13) {
      DirectoryImage damaged = good;
      damaged[name][at] ^= 0x10;
      EXPECT_EQ(StateOf(damaged), state) << name << " at " << at;
      EXPECT_TRUE(Image().at(name) == whole);
    }
    for (const size_t size : {size_t{0}, size_t{79}, whole.size() - 1}) {
      DirectoryImage damaged = good;
      damaged[name].resize(size);
      EXPECT_EQ(StateOf(damaged), state) << name << " cut to " << size;
      EXPECT_TRUE(Image().at(name) == whole);
    }
  }
}

TEST_F(HintTest, OneOfAnotherSegmentIsPassedOver) {
  MakeStore();
  DirectoryImage image = Image();
  const std::string state = StateOf(image);
  const std::vector<std::string> names = HintNames(image);
  image[names[0]].swap(image[names[1]]);
  EXPECT_EQ(StateOf(image), state);
}

TEST_F(HintTest, MissingOnesAreMadeWhenTheStoreIsClosed) {
  MakeStore();
  const DirectoryImage good = Image();
  WriteDirectory(path(), WithoutHints(good));
  Open();
  Close();
  EXPECT_EQ(HintNames(Image()), HintNames(good));
}

TEST_F(HintTest, ThoseOfNoSegmentAreRemoved) {
  MakeStore();
  DirectoryImage image = Image();
  image["00000000000000aa.hint"] = image[HintNames(image).front()];
  image["00000000000000ab.hint"] = "";
  image["aa.hint"] = "somebody else's";
  WriteDirectory(path(), image);
  Open();
  EXPECT_EQ(Image().count("00000000000000aa.hint"), 0u);
  EXPECT_EQ(Image().count("00000000000000ab.hint"), 0u);
  EXPECT_EQ(Image().count("aa.hint"), 1u);
  EXPECT_EQ(All(), contents_);
}

TEST_F(HintTest, ARefusedOpenRemovesNone) {
  MakeStore();
  DirectoryImage image = Image();
  image["00000000000000aa.hint"] = "";
  image.erase(SegmentNames(image).front());
  WriteDirectory(path(), image);
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
  EXPECT_EQ(Difference(image, Image()), "");
}

TEST_F(HintTest, AReadOnlyOpenChangesNone) {
  MakeStore();
  DirectoryImage image = Image();
  image[HintNames(image)[0]] = "damaged";
  image.erase(HintNames(image)[1]);
  image["00000000000000aa.hint"] = "";
  WriteDirectory(path(), image);
  options.read_only = true;
  Open();
  EXPECT_EQ(All(), contents_);
  Close();
  EXPECT_EQ(Difference(image, Image()), "");
}

TEST_F(HintTest, TheirBytesAreCounted) {
  MakeStore();
  DirectoryImage image = Image();
  image[HintNames(image)[0]] = "damaged";
  image.erase(HintNames(image)[1]);
  WriteDirectory(path(), image);
  for (int round = 0; round < 2; ++round) {
    Open();
    EXPECT_EQ(store().GetStatistics().hint_bytes, HintBytes(Image()));
    PutNumbers(100, 200);
    EXPECT_EQ(store().GetStatistics().hint_bytes, HintBytes(Image()));
    EXPECT_GT(HintBytes(Image()), 0u);
    uint64_t all = 0;
    for (const auto& [name, bytes] : Image()) all += bytes.size();
    EXPECT_EQ(store().GetStatistics().disk_bytes, all);
    Close();
  }
}

TEST_F(HintTest, AStoreThatCantWriteThemGoesOnWithout) {
  MakeStore();
  WriteDirectory(path(), WithoutHints(Image()));
  Open();
  faults_.FailAlways(FaultyFileSystem::kCreateFile, DiskBroken());
  Close();
  faults_.Heal(FaultyFileSystem::kCreateFile);
  EXPECT_TRUE(HintNames(Image()).empty());
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_F(HintTest, AThreadMakesThemBehindTheWriters) {
  options.background_threads = true;
  MakeStore();
  EXPECT_EQ(HintNames(Image()).size(), SegmentNames(Image()).size() - 1);
  Open();
  EXPECT_EQ(All(), contents_);
}

}  // namespace
}  // namespace stave
