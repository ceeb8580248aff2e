#include "engine/format/hint_builder.h"

#include <algorithm>
#include <cstdint>
#include <map>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "engine/base/key_hash.h"
#include "engine/format/hint.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr SegmentHeader kSegment{SegmentKind::kLog, 7, 0x5a17};

class HintBuilderTest : public testing::Test {
 protected:
  void Put(const KeyHash& hash, uint32_t value_size) {
    RecordHeader header;
    header.key_size = 8;
    header.value_size = value_size;
    Add(hash, header);
  }
  void Delete(const KeyHash& hash) {
    RecordHeader header;
    header.kind = RecordKind::kDelete;
    header.key_size = 8;
    Add(hash, header);
  }
  void Add(const KeyHash& hash, const RecordHeader& header) {
    builder_.Add(hash, offset_, header);
    if (header.key_size > 0) {
      last_[{hash.prefix, hash.tag}] = HintEntry(hash, offset_, header);
    }
    offset_ += header.record_size();
  }
  HintImage Build() {
    SegmentSummary summary;
    summary.length = offset_;
    summary.records = offset_ / 32;
    return std::move(builder_).Build(kSegment, summary, 1);
  }
  std::vector<HintEntry> Expected() const {
    std::vector<HintEntry> entries;
    for (const auto& [hash, entry] : last_) entries.push_back(entry);
    return entries;
  }

  HintBuilder builder_{0};
  uint64_t offset_ = kSegmentHeaderBytes;
  std::map<std::pair<uint64_t, uint16_t>, HintEntry> last_;
};

TEST_F(HintBuilderTest, HasEachKeysLastRecordInTheOrderOfHashes) {
  Put({9, 1}, 10);
  Put({2, 7}, 20);
  Put({9, 1}, 30);
  Put({9, 0}, 40);
  Delete({2, 7});
  const HintImage image = Build();
  EXPECT_EQ(image.entries, Expected());
  ASSERT_EQ(image.entries.size(), 3u);
  EXPECT_TRUE(image.entries[0].tombstone());
}

TEST_F(HintBuilderTest, PassesOverWhatHasNoKey) {
  RecordHeader mark;
  mark.kind = RecordKind::kSyncMark;
  mark.value_size = kSyncMarkBytes;
  Add({5, 5}, mark);
  EXPECT_TRUE(Build().entries.empty());
}

TEST_F(HintBuilderTest, HasTheSizesOfLargeRecordsInLogOrder) {
  Put({9, 1}, 1008 - 24 - 8);
  Put({9, 2}, 1008 - 24 - 7);
  Put({1, 2}, 100'000);
  const HintImage image = Build();
  ASSERT_EQ(image.sizes.size(), 2u);
  EXPECT_EQ(image.sizes[0].offset_units * 8, 32 + 1008u);
  EXPECT_EQ(image.sizes[0].size_units * 8, 1016u);
  EXPECT_EQ(image.sizes[1].offset_units * 8, 32 + 1008u + 1016);
  EXPECT_EQ(image.sizes[1].size_units * 8, 100'032u);
}

TEST_F(HintBuilderTest, HasAChecksumForEachBlock) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 1000; ++i) {
    Put({random(), static_cast<uint16_t>(random())}, i % 3 == 0 ? 5000 : 5);
  }
  const HintImage image = Build();
  std::string body;
  for (const std::string_view part : image.Parts()) body += part;
  body = body.substr(kHintHeaderBytes, 1000 * 16 + 334 * 8);
  ASSERT_EQ(image.checksums.size(), (body.size() + 4095) / 4096);
  for (size_t i = 0; i < image.checksums.size(); ++i) {
    EXPECT_EQ(image.checksums[i],
              HintBlockChecksum(SegmentSeed(0x5a17, 7), i,
                                std::string_view(body).substr(i * 4096, 4096)));
  }
}

// Random hashes, few different ones, and such that differ in their last bits.
TEST_F(HintBuilderTest, SortsAnyHashes) {
  for (const unsigned seed : {1u, 2u, 3u}) {
    for (const uint64_t mask :
         {UINT64_MAX, uint64_t{0xff}, uint64_t{0xff} << 56, uint64_t{1},
          uint64_t{0xf0f0f0f0f0f0f0f0}}) {
      for (const size_t size : {0u, 1u, 2u, 64u, 65u, 1000u, 20'000u}) {
        SCOPED_TRACE(absl::StrCat("seed ", seed, ", ", size, " entries, mask ",
                                  absl::Hex(mask)));
        std::mt19937_64 random(seed);
        std::vector<HintEntry> entries;
        for (size_t i = 0; i < size; ++i) {
          RecordHeader header;
          header.key_size = 1;
          entries.emplace_back(
              KeyHash{random() & mask, static_cast<uint16_t>(random() & mask)},
              32 + i * 32, header);
        }
        std::vector<HintEntry> sorted = entries;
        std::sort(sorted.begin(), sorted.end());
        SortHintEntries(entries.data(), entries.size());
        EXPECT_TRUE(entries == sorted);
      }
    }
  }
}

}  // namespace
}  // namespace stave
