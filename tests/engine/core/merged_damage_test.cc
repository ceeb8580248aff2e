// Stores after merges: Verify finds nothing wrong with them, Repair copies what
// they hold, and of damaged ones nothing that is older comes back.
//
// Random stores; STAVE_SEEDS=n makes more of them, STAVE_FIRST_SEED=n begins
// at seed n.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/format/segment_header.h"
#include "gtest/gtest.h"
#include "stave/merge.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

class MergedDamageTest : public StoreFixture {
 protected:
  MergedDamageTest() { options.segment_size_bytes = 400; }

  void PutAndNote(const std::string& key, const std::string& value) {
    Put(key, value);
    contents_[key] = value;
  }
  void DeleteAndNote(const std::string& key) {
    Delete(key);
    contents_.erase(key);
  }
  void MergeNow(bool all = true) {
    MergeOptions merge;
    merge.all = all;
    ASSERT_TRUE(store().Merge(merge).ok());
  }

  // Puts, deletes, batches, merges of some or all, and opens, at random.
  void WriteAtRandom(std::mt19937_64& random, int operations) {
    const auto pick = [&random](uint64_t below) { return random() % below; };
    const auto key = [&] { return absl::StrCat("k", 10 + pick(40)); };
    for (int i = 0; i < operations; ++i) {
      const uint64_t what = pick(100);
      if (what < 70) {
        PutAndNote(key(), absl::StrCat("v", i, std::string(pick(90), '.')));
      } else if (what < 85) {
        DeleteAndNote(key());
      } else if (what < 90) {
        WriteBatch batch;
        const std::string one = key(), other = key();
        batch.Put(one, "of a batch");
        batch.Delete(other);
        Write(batch);
        contents_[one] = "of a batch";
        contents_.erase(other);
      } else if (what < 96) {
        MergeNow(pick(2) == 0);
      } else if (what < 98) {
        Sync();
      } else {
        Reopen();
      }
    }
  }

  bool IsOutput(const std::string& name) const {
    const auto header = DecodeSegmentHeader(
        ReadFile(PathOf(name)).substr(0, kSegmentHeaderBytes));
    return header.ok() && header->kind == SegmentKind::kMerged;
  }
  std::vector<std::string> Outputs() const {
    std::vector<std::string> outputs;
    for (const std::string& name : SegmentNames(Image())) {
      if (IsOutput(name)) outputs.push_back(name);
    }
    return outputs;
  }

  VerifyReport Look() const {
    const absl::StatusOr<VerifyReport> report = Verify(path());
    EXPECT_TRUE(report.ok()) << report.status();
    return report.value_or(VerifyReport());
  }
  static std::string Show(const VerifyReport& report) {
    std::string text;
    for (const Damage& damage : report.damage) {
      absl::StrAppend(&text, damage.file, " ", damage.offset, "+",
                      damage.length, " ", damage.what, ", ", damage.records,
                      " records\n");
    }
    return text;
  }

  Contents Repaired() {
    const std::string to = path() + "_repaired";
    std::filesystem::remove_all(to);
    const absl::StatusOr<RepairReport> repaired = Repair(path(), to);
    EXPECT_TRUE(repaired.ok()) << repaired.status();
    if (!repaired.ok()) return {};
    repaired_ = *repaired;
    EXPECT_TRUE(Verify(to).value().clean);
    const auto opened = Store::Open(to, options);
    EXPECT_TRUE(opened.ok()) << opened.status();
    if (!opened.ok()) return {};
    return Visit((*opened)->NewIterator().value().get());
  }

  // Whatever a damaged store shows is right.
  void ExpectNothingWrongIsShown() {
    options.open_damaged = true;
    Open();
    for (int i = 10; i < 50; ++i) {
      const std::string key = absl::StrCat("k", i);
      std::string value;
      const absl::Status status = store().Get(key, &value);
      if (absl::IsDataLoss(status)) continue;
      const auto found = contents_.find(key);
      if (found == contents_.end()) {
        EXPECT_TRUE(absl::IsNotFound(status)) << key << ": " << value;
      } else {
        EXPECT_TRUE(status.ok() && value == found->second)
            << key << ": " << status << ", " << value;
      }
    }
    Close();
    options.open_damaged = false;
  }

  void Flip(const std::string& name, uint64_t offset) {
    FlipBit(PathOf(name), offset);
  }

  Contents contents_;
  RepairReport repaired_;
};

TEST_F(MergedDamageTest, StoresAreCleanAndRepairedToWhatTheyHold) {
  uint64_t outputs = 0;
  const uint64_t first = FromEnvironment("STAVE_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 25);
  for (uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(
        absl::StrCat("again: bazel test //tests/engine/core:merged_damage_test "
                     "--test_env=STAVE_SEEDS=1 --test_env=STAVE_FIRST_SEED=",
                     seed));
    std::mt19937_64 random(seed);
    options.segment_size_bytes = 400 << random() % 4;
    contents_.clear();
    std::filesystem::remove_all(path());
    Open();
    WriteAtRandom(random, 400);
    EXPECT_TRUE(Look().clean) << "while it is open: " << Show(Look());
    if (seed % 2 == 0) {
      Kill();
    } else {
      Close();
    }
    EXPECT_TRUE(Look().clean) << Show(Look());
    EXPECT_EQ(Repaired(), contents_);
    EXPECT_EQ(repaired_.possibly_stale, 0u);
    outputs += Outputs().size();
    // Without the manifest the sequences tell the order of segments.
    DirectoryImage image = Image();
    image.erase(ManifestName(image));
    WriteDirectory(path(), image);
    EXPECT_EQ(Repaired(), contents_);
  }
  EXPECT_GE(outputs, seeds);
}

TEST_F(MergedDamageTest, NothingWrongIsShownWhereverTheDamageIs) {
  const uint64_t first = FromEnvironment("STAVE_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 10);
  for (uint64_t seed = first; seed < first + seeds && !HasFailure(); ++seed) {
    SCOPED_TRACE(
        absl::StrCat("again: bazel test //tests/engine/core:merged_damage_test "
                     "--test_env=STAVE_SEEDS=1 --test_env=STAVE_FIRST_SEED=",
                     seed));
    std::mt19937_64 random(seed);
    contents_.clear();
    std::filesystem::remove_all(path());
    Open();
    WriteAtRandom(random, 300);
    Close();
    const DirectoryImage whole = Image();
    for (const std::string& name : Outputs()) {
      const uint64_t size = whole.at(name).size();
      for (int i = 0; i < 6; ++i) {
        const uint64_t at = kSegmentHeaderBytes + random() % (size - 32);
        Flip(name, at);
        const VerifyReport report = Look();
        ASSERT_EQ(report.damage.size(), 1u) << name << " " << at;
        EXPECT_LE(report.damage[0].offset, at);
        EXPECT_GT(report.damage[0].offset + report.damage[0].length, at);
        EXPECT_EQ(report.lost, 1u) << Show(report);
        const Contents repaired = Repaired();
        size_t others = 0;
        for (const auto& [key, value] : contents_) {
          const auto found = repaired.find(key);
          others += found == repaired.end() || found->second != value;
        }
        EXPECT_LE(others, 1u);
        ExpectNothingWrongIsShown();
        WriteDirectory(path(), whole);
      }
    }
  }
}

// Keys in an output: each put takes 24 + 3 + 40 bytes, padded to 72.
class OutputTest : public MergedDamageTest {
 protected:
  static constexpr uint64_t kPut = 72;

  OutputTest() {
    options.segment_size_bytes = 4096;
    Open();
    for (int i = 10; i < 30; ++i) {
      PutAndNote(absl::StrCat("k", i), ValueOf(i, 40));
    }
    for (int i = 10; i < 20; i += 2) {
      PutAndNote(absl::StrCat("k", i), ValueOf(i + 50, 40));
    }
    MergeNow();
    Close();
    output_ = Outputs().at(0);
  }
  uint64_t Place(int record) const {
    return kSegmentHeaderBytes + record * kPut;
  }

  void Zero(int from, int to) {
    std::string bytes = ReadFile(PathOf(output_));
    std::fill_n(bytes.begin() + static_cast<ptrdiff_t>(Place(from)),
                Place(to) - Place(from), '\0');
    WriteFile(PathOf(output_), bytes);
  }

  std::string output_;
};

TEST_F(OutputTest, WhatAHoleCostsIsKnownFromTheSummary) {
  const VerifyReport sound = Look();
  EXPECT_TRUE(sound.clean) << Show(sound);
  EXPECT_EQ(sound.records, 20u);
  Zero(3, 6);
  EXPECT_EQ(Look().lost, 3u) << Show(Look());
  Flip(output_, Place(10) + 30);  // a body
  Zero(12, 14);
  EXPECT_EQ(Look().lost, 6u) << Show(Look());
  EXPECT_EQ(Look().damage.size(), 3u) << Show(Look());
  EXPECT_EQ(Repaired().size(), 14u);
  ExpectNothingWrongIsShown();
}

TEST_F(OutputTest, TheEndIsKnown) {
  Zero(18, 20);
  EXPECT_EQ(Look().lost, 2u) << Show(Look());
  ExpectNothingWrongIsShown();
  std::string bytes = ReadFile(PathOf(output_));
  WriteFile(PathOf(output_), bytes.substr(0, Place(15) + 7));
  EXPECT_EQ(Look().lost, 5u) << Show(Look());
  EXPECT_EQ(Repaired().size(), 15u);
}

TEST_F(OutputTest, AnOutputThatWasNotFinishedIsNoDamage) {
  DirectoryImage image = Image();
  SegmentHeader header;
  header.id = 0xf0;
  header.salt = 5;
  header.kind = SegmentKind::kMerged;
  image["00000000000000f0.seg"] =
      EncodeSegmentHeader(header) + image[output_].substr(32);
  WriteDirectory(path(), image);
  EXPECT_TRUE(Look().clean) << Show(Look());
  Open();
  EXPECT_EQ(All(), contents_);
}

TEST_F(OutputTest, ADamagedHintFileCostsNothing) {
  const std::string hint = output_.substr(0, 16) + ".hint";
  const std::string whole = ReadFile(PathOf(hint));
  for (size_t at = 0; at < whole.size(); ++at) {
    Flip(hint, at);
    const VerifyReport report = Look();
    EXPECT_FALSE(report.clean) << at;
    EXPECT_EQ(report.lost, 0u);
    ASSERT_EQ(report.damage.size(), 1u);
    EXPECT_EQ(report.damage[0].file, hint);
    EXPECT_NE(report.damage[0].what.find("nothing is lost"), std::string::npos);
    WriteFile(PathOf(hint), whole.substr(0, at));  // as a crash leaves it
    EXPECT_TRUE(Look().clean) << at;
    WriteFile(PathOf(hint), whole);
  }
  Flip(hint, 90);
  EXPECT_EQ(Repaired(), contents_);
  EXPECT_EQ(repaired_.possibly_stale, 0u);
  Open();
  EXPECT_EQ(All(), contents_);
  Close();
  EXPECT_TRUE(Look().clean) << "the open has made it anew";
}

// With hint files Open reads no segment.
TEST_F(OutputTest, AnIteratorDoesNotPassOverADamagedKey) {
  Flip(output_, Place(10) + 24);
  Open();
  const std::unique_ptr<Iterator> iterator = NewIterator();
  size_t visited = 0;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) ++visited;
  EXPECT_LT(visited, contents_.size());
  EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
}

}  // namespace
}  // namespace stave
