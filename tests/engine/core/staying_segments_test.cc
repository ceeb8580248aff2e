#include "engine/core/staying_segments.h"

#include <atomic>
#include <cstddef>
#include <cstring>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/hint_file.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/engine/log/memory_segment.h"

namespace stave {
namespace {

class StayingSegmentsTest : public testing::Test {
 protected:
  // A segment that has these numbers for keys, the first one with `sequence`.
  // Its hint file may be left out.
  void Add(SegmentId id, Sequence sequence, const std::set<int>& numbers,
           bool has_hint = true) {
    const SegmentHeader header{SegmentKind::kLog, id, /*salt=*/5};
    SegmentImage image(header, sequence);
    for (const int number : numbers) image.Put(absl::StrCat(number), "value");
    SegmentScanner scanner(image.bytes(), image.seed(), true);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) continue;
    staying_.Add(header, scanner.summary());
    if (!has_hint) return;
    auto memory = std::make_unique<char[]>(image.size());
    std::memcpy(memory.get(), image.bytes().data(), image.size());
    Segment::Parts parts;
    parts.header = header;
    parts.name = SegmentFileName(id);
    parts.mapping = std::make_unique<MemoryMapping>(std::move(memory),
                                                    image.size(), nullptr);
    const auto segment = Segment::Adopt(std::move(parts));
    ASSERT_EQ(
        WriteHint(directory_.get(), segment.get(), scanner.summary(), hasher_),
        absl::OkStatus());
  }

  // Of records of these numbers, all of one sequence.
  std::vector<SegmentId> Holders(const std::vector<int>& numbers,
                                 Sequence sequence) {
    std::vector<Tombstone> tombstones;
    for (const int number : numbers) {
      tombstones.push_back({hasher_(absl::StrCat(number)), sequence});
    }
    staying_.FindHolders(absl::MakeSpan(tombstones), cancelled_);
    std::vector<SegmentId> holders;
    for (const Tombstone& each : tombstones) holders.push_back(each.holder);
    return holders;
  }

  static std::set<int> Range(int begin, int end, int step = 1) {
    std::set<int> numbers;
    for (int i = begin; i < end; i += step) numbers.insert(i);
    return numbers;
  }

  TemporaryDirectory place_;
  const std::unique_ptr<Directory> directory_ =
      PosixFileSystem()->OpenDirectory(place_.path()).value();
  const KeyHasher hasher_{HashSecret{}};
  std::atomic<bool> cancelled_{false};
  StayingSegments staying_{directory_.get(), hasher_, ReadMode::kMap};
};

TEST_F(StayingSegmentsTest, NobodyHoldsWhatIsNowhere) {
  EXPECT_EQ(Holders({1, 2}, 100), (std::vector<SegmentId>{0, 0}));
  Add(3, 1, {4, 5});
  EXPECT_EQ(Holders({1, 2}, 100), (std::vector<SegmentId>{0, 0}));
  EXPECT_EQ(Holders({}, 100), std::vector<SegmentId>());
}

TEST_F(StayingSegmentsTest, TheFirstOneThatHoldsAKeyIsTold) {
  Add(3, 1, {1, 2});
  Add(4, 11, {2, 3, 4});
  EXPECT_EQ(Holders({4, 2, 1, 7, 2}, 100),
            (std::vector<SegmentId>{4, 3, 3, 0, 3}));
}

TEST_F(StayingSegmentsTest, WhatIsNewerIsNotHidden) {
  Add(3, 50, Range(0, 10));
  EXPECT_EQ(Holders({5}, 50), (std::vector<SegmentId>{0}));
  // The segment has an older record, though it may be of another key.
  EXPECT_EQ(Holders({5}, 51), (std::vector<SegmentId>{3}));
}

TEST_F(StayingSegmentsTest, ASegmentWithoutAHintMayHoldAnything) {
  Add(3, 1, {1});
  Add(4, 50, {2}, /*has_hint=*/false);
  EXPECT_EQ(Holders({1, 7}, 100), (std::vector<SegmentId>{3, 4}));
  EXPECT_EQ(Holders({1, 7}, 50), (std::vector<SegmentId>{3, 0}));
}

// Few keys are looked up one by one, many in one walk; the answers are the
// same.
TEST_F(StayingSegmentsTest, FewAndManyAreToldTheSame) {
  constexpr int kKeys = 5000;
  Add(3, 1, Range(0, kKeys, 2));
  Add(4, 10'000, Range(0, kKeys, 3));
  Add(5, 20'000, Range(0, kKeys, 5), /*has_hint=*/true);
  for (const size_t at_a_time : {size_t{1}, size_t{30}, size_t{kKeys}}) {
    std::vector<int> numbers;
    for (int i = 0; i < kKeys; ++i) {
      numbers.push_back(i);
      if (numbers.size() < at_a_time && i < kKeys - 1) continue;
      const std::vector<SegmentId> holders = Holders(numbers, 15'000);
      for (size_t k = 0; k < numbers.size(); ++k) {
        const int number = numbers[k];
        const SegmentId expected = number % 2 == 0   ? 3
                                   : number % 3 == 0 ? 4
                                                     : 0;
        ASSERT_EQ(holders[k], expected) << number << " of " << at_a_time;
      }
      numbers.clear();
    }
  }
}

// A damaged hint proves nothing (I8): whatever it is asked for it may hold.
TEST_F(StayingSegmentsTest, ADamagedHintProvesNothing) {
  constexpr int kKeys = 5000;
  Add(3, 1, Range(0, kKeys, 2));
  const auto file = directory_->OpenFile(HintFileName(3), true).value();
  const uint64_t size = file->Size().value();
  for (uint64_t offset = 80; offset < size; offset += 4096) {
    char byte = 0;
    ASSERT_EQ(file->Read(offset, absl::MakeSpan(&byte, 1)).value(), 1u);
    byte = static_cast<char>(byte ^ 1);
    ASSERT_TRUE(file->Write(offset, std::string_view(&byte, 1)).ok());
  }
  std::vector<int> all;
  for (int i = 0; i < kKeys; ++i) all.push_back(i);
  EXPECT_EQ(Holders({1}, 9999), (std::vector<SegmentId>{3}));
  EXPECT_EQ(Holders(all, 9999), std::vector<SegmentId>(kKeys, 3));
}

// One block of many: what the others tell is believed.
TEST_F(StayingSegmentsTest, OfAHintThatIsDamagedInPartNoHolderIsMissed) {
  constexpr int kKeys = 5000;
  Add(3, 1, Range(0, kKeys, 2));
  const auto file = directory_->OpenFile(HintFileName(3), true).value();
  ASSERT_TRUE(
      file->Write(80 + 5 * 4096 + 100, std::string_view("damage")).ok());
  std::vector<int> all;
  for (int i = 0; i < kKeys; ++i) all.push_back(i);
  const std::vector<SegmentId> holders = Holders(all, 9999);
  int proved = 0;
  for (int i = 0; i < kKeys; ++i) {
    const bool may_hold = holders[static_cast<size_t>(i)] == 3;
    EXPECT_TRUE(may_hold || i % 2 != 0) << i;
    proved += !may_hold;
  }
  EXPECT_GT(proved, kKeys / 10);
}

TEST_F(StayingSegmentsTest, WhoIsCancelledStops) {
  Add(3, 1, {1});
  cancelled_ = true;
  EXPECT_EQ(Holders({1}, 100), (std::vector<SegmentId>{0}));
}

}  // namespace
}  // namespace stave
