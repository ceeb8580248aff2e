#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

std::string Text(int number, size_t size = 600) {
  std::string text;
  while (text.size() < size) {
    absl::StrAppend(&text, "number ", number, " of many; ");
  }
  return text.substr(0, size);
}

class CompressionTest : public StoreFixture,
                        public testing::WithParamInterface<Compression> {
 protected:
  CompressionTest() {
    options.compression = GetParam();
    options.segment_size_bytes = 4096;
    Open();
  }

  void OpenWith(Compression compression) {
    Close();
    options.compression = compression;
    Open();
  }
  uint64_t LiveBytes() { return store().GetStatistics().live_bytes; }

  // How the records of all segments are stored, one after another.
  std::vector<Compression> Stored() const {
    std::vector<Compression> stored;
    const DirectoryImage image = Image();
    for (const std::string& name : SegmentNames(image)) {
      ForEachPut(image.at(name), [&](const RecordView& record) {
        stored.push_back(record.header.compression);
      });
    }
    return stored;
  }

  // Makes the stored bytes of each compressed value other ones, and their
  // checksums right, as a forger might. Of a store that was killed: the
  // manifest would know that the segments are not what they were.
  void ForgeValues() {
    DirectoryImage image = Image();
    for (const std::string& name : SegmentNames(image)) {
      std::string& bytes = image[name];
      const SegmentHeader header = *DecodeSegmentHeader(bytes);
      ForEachPut(std::string(bytes), [&](const RecordView& record) {
        if (record.header.compression == Compression::kNone) return;
        std::string value(record.value);
        for (size_t i = 6; i < value.size(); ++i) value[i] ^= 0x55;
        RecordHeader forged = record.header;
        forged.body = BodyChecksum(record.key, value);
        const uint32_t seed =
            RecordSeed(SegmentSeed(header.salt, header.id), record.offset);
        EncodeRecordHeader(forged, seed, &bytes[record.offset]);
        const size_t value_at =
            record.offset + forged.header_size() + record.key.size();
        bytes.replace(value_at, value.size(), value);
      });
    }
    WriteDirectory(path(), image);
  }

 private:
  template <typename Visit>
  static void ForEachPut(const std::string& segment, Visit visit) {
    const SegmentHeader header = *DecodeSegmentHeader(segment);
    SegmentScanner scanner(segment, SegmentSeed(header.salt, header.id),
                           /*check_bodies=*/true, header.kind);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
      if (record.header.kind == RecordKind::kPut) visit(record);
    }
  }
};

TEST_P(CompressionTest, ValuesTakeLessSpaceAndAreTheSame) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), Text(i));
  EXPECT_LT(LiveBytes(), 20 * 600 / 3);
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(Get(absl::StrCat("key", i)), Text(i));
  }
  const Contents all = All();
  Reopen();
  EXPECT_EQ(All(), all);
  Kill();
  Open();
  EXPECT_EQ(All(), all);
}

TEST_P(CompressionTest, ShortValuesAndNoiseAreStoredAsTheyAre) {
  Put("short", "aaaaaaaaaaaaaaaaaaaaaaaaaaa");
  Put("noise", ValueOf(1, 250));
  Put("empty", "");
  EXPECT_EQ(Stored(), std::vector<Compression>(3, Compression::kNone));
}

TEST_P(CompressionTest, WhatIsStoredIsReadWhateverTheOptionIs) {
  Put("first", Text(1));
  OpenWith(Compression::kNone);
  Put("second", Text(2));
  OpenWith(GetParam() == Compression::kZstd ? Compression::kLz4
                                            : Compression::kZstd);
  Put("third", Text(3));
  options.read_only = true;
  OpenWith(Compression::kNone);
  EXPECT_EQ(
      All(),
      (Contents{{"first", Text(1)}, {"second", Text(2)}, {"third", Text(3)}}));
  EXPECT_EQ(Get("first"), Text(1));
  EXPECT_EQ(Get("third"), Text(3));
}

TEST_P(CompressionTest, MergesCopyWhatIsStored) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), Text(i));
  OpenWith(Compression::kNone);
  for (int i = 0; i < 10; ++i) Put(absl::StrCat("key", i), Text(100 + i));
  const Contents all = All();
  const uint64_t live_bytes = LiveBytes();
  EXPECT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ(LiveBytes(), live_bytes);
  EXPECT_EQ(All(), all);
  Reopen();
  EXPECT_EQ(LiveBytes(), live_bytes);
  EXPECT_EQ(All(), all);
}

TEST_P(CompressionTest, AnExpiredValueLeavesAPlainTombstone) {
  Put("key", Text(1));
  Put("key", Text(2), {.ttl = absl::Seconds(1)});
  for (int i = 0; i < 20; ++i) Put("other", ValueOf(i, 500));
  clock.Advance(absl::Seconds(2));
  EXPECT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ(Get("key"), "NOT_FOUND");
  Reopen();
  EXPECT_EQ(Get("key"), "NOT_FOUND");
}

TEST_P(CompressionTest, ANewExpiryKeepsTheStoredBytes) {
  Put("key", Text(1));
  const uint64_t size = LiveBytes();
  OpenWith(Compression::kNone);
  EXPECT_EQ(store().Expire("key", absl::Hours(1)), absl::OkStatus());
  EXPECT_EQ(LiveBytes(), size + 8);
  EXPECT_EQ(Get("key"), Text(1));
  std::string value;
  EXPECT_EQ(store().Get("key", &value, {.refresh_ttl = absl::Hours(9)}),
            absl::OkStatus());
  EXPECT_EQ(value, Text(1));
  EXPECT_EQ(*store().Ttl("key"), absl::Hours(9));
  EXPECT_EQ(LiveBytes(), size + 8);
  EXPECT_EQ(store().Persist("key"), absl::OkStatus());
  EXPECT_EQ(LiveBytes(), size);
  EXPECT_EQ(Stored(), std::vector<Compression>(4, GetParam()));
}

TEST_P(CompressionTest, ComparisonsAndSumsSeeTheValue) {
  options.compression_threshold_bytes = 1;
  Reopen();
  Put("key", Text(1));
  EXPECT_TRUE(absl::IsAborted(store().CompareAndSet("key", Text(2), "new")));
  EXPECT_EQ(store().CompareAndSet("key", Text(1), Text(3)), absl::OkStatus());
  EXPECT_EQ(Get("key"), Text(3));
  const std::string number = std::string(300, '0') + "41";
  Put("number", number);
  EXPECT_EQ(*store().Increment("number", 1), 42);
  EXPECT_EQ(Stored().at(2), GetParam());
}

TEST_P(CompressionTest, BatchesTransactionsAndSnapshotsSeeTheValue) {
  WriteBatch batch;
  batch.Put("a", Text(1));
  batch.Put("b", ValueOf(1, 250));
  batch.Put("c", Text(3), absl::Hours(1));
  Write(batch);
  EXPECT_EQ(Stored(), (std::vector<Compression>{GetParam(), Compression::kNone,
                                                GetParam()}));
  const auto then = store().GetSnapshot();
  const auto transaction = store().Begin();
  EXPECT_EQ(*transaction->Get("a"), Text(1));
  EXPECT_EQ(transaction->Put("a", Text(4)), absl::OkStatus());
  EXPECT_EQ(*transaction->Get("a"), Text(4));
  EXPECT_EQ(transaction->Commit(), absl::OkStatus());
  EXPECT_EQ(Get("a"), Text(4));
  EXPECT_EQ(*store().Get("a", {.snapshot = then.get()}), Text(1));
  EXPECT_EQ(Visit(NewIterator({.snapshot = then.get()}).get()),
            (Contents{{"a", Text(1)}, {"b", ValueOf(1, 250)}, {"c", Text(3)}}));
}

TEST_P(CompressionTest, ManyValuesAreShownOneAfterAnother) {
  std::vector<std::string> names;
  for (int i = 0; i < 100; ++i) {
    names.push_back(absl::StrCat("key", i));
    Put(names.back(), i % 3 == 0 ? ValueOf(i, 250) : Text(i));
  }
  const std::vector<std::string_view> keys(names.begin(), names.end());
  store().MultiGet(keys, [&](size_t i, absl::StatusOr<std::string_view> value) {
    const int number = static_cast<int>(i);
    EXPECT_EQ(*value, i % 3 == 0 ? ValueOf(number, 250) : Text(number));
  });
}

TEST_P(CompressionTest, PinnedValuesStayAndHoldNoSegment) {
  Put("key", Text(1));
  absl::StatusOr<PinnedValue> pinned = store().GetPinned("key");
  ASSERT_TRUE(pinned.ok()) << pinned.status();
  for (int i = 0; i < 30; ++i) Put("key", ValueOf(i, 500));
  EXPECT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ(store().GetStatistics().pinned_bytes, 0u);
  PinnedValue moved = *std::move(pinned);
  EXPECT_EQ(moved.view(), Text(1));
  Close();
  PinnedValue again;
  again = std::move(moved);
  EXPECT_EQ(again.view(), Text(1));
}

TEST_P(CompressionTest, BackupsAreReadAlike) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), Text(i));
  const Contents all = All();
  const std::string place = path() + "-backup";
  ASSERT_EQ(store().Backup(place), absl::OkStatus());
  const auto backup = Store::Open(place, {.read_only = true});
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(Visit((*backup)->NewIterator()->get()), all);
}

TEST_P(CompressionTest, StatisticsTellWhatIsSaved) {
  Put("a", Text(1));
  Put("b", ValueOf(1, 200));
  const Statistics statistics = store().GetStatistics();
  EXPECT_EQ(statistics.value_bytes, 800u);
  EXPECT_GT(statistics.stored_value_bytes, 200u);
  EXPECT_LT(statistics.stored_value_bytes, 400u);
}

TEST_P(CompressionTest, ASampleTellsHowMuchIsSavedOfWhatThereIs) {
  EXPECT_EQ(store().SampleValues().values, 0u);
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), Text(i));
  Put("b", ValueOf(1, 200));
  Delete("b");
  options.read_only = true;
  Reopen();
  const ValueSample sample = store().SampleValues();
  EXPECT_EQ(sample.values, 21u);
  EXPECT_EQ(sample.compressed, 20u);
  EXPECT_EQ(sample.value_bytes, 20 * 600 + 200u);
  EXPECT_GT(sample.compression_ratio(), 3);
}

TEST_P(CompressionTest, AnUnknownMethodOrLevelIsRefused) {
  Close();
  options.compression = static_cast<Compression>(3);
  EXPECT_TRUE(absl::IsInvalidArgument(TryOpen()));
  options.compression = GetParam();
  for (const int level : {-1, 20}) {
    options.compression_level = level;
    EXPECT_TRUE(absl::IsInvalidArgument(TryOpen())) << level;
  }
}

// Every way of reading says that it is damaged, and where.
TEST_P(CompressionTest, AForgedValueIsDataLoss) {
  Put("key", Text(1), {.ttl = absl::Hours(1)});
  Put("plain", "value");
  Kill();
  ForgeValues();
  Open();
  EXPECT_EQ(Get("plain"), "value");
  const absl::Status status = store().Get("key").status();
  EXPECT_TRUE(absl::IsDataLoss(status)) << status;
  EXPECT_NE(status.message().find(".seg, offset 32"), absl::string_view::npos)
      << status;
  EXPECT_TRUE(absl::IsDataLoss(store().GetPinned("key").status()));
  EXPECT_TRUE(absl::IsDataLoss(store().CompareAndSet("key", "a", "b")));
  EXPECT_TRUE(absl::IsDataLoss(store().Increment("key", 1).status()));
  store().MultiGet({"key"}, [](size_t, const auto& value) {
    EXPECT_TRUE(absl::IsDataLoss(value.status()));
  });
  const auto iterator = NewIterator();
  iterator->SeekToFirst();
  EXPECT_FALSE(iterator->Valid());
  EXPECT_TRUE(absl::IsDataLoss(iterator->status())) << iterator->status();
}

TEST_P(CompressionTest, VerifyFindsAForgedValueAndRepairLeavesItOut) {
  Put("key", Text(1));
  Put("other", Text(2));
  Kill();
  ASSERT_TRUE(Verify(path())->clean);
  ForgeValues();
  // Open takes it, so it is no torn tail.
  EXPECT_EQ(Verify(path())->damage.size(), 2u);
  options.max_space_amplification = 1000;
  Open();
  Put("other", Text(3));
  Close();
  const absl::StatusOr<VerifyReport> report = Verify(path());
  ASSERT_TRUE(report.ok()) << report.status();
  EXPECT_FALSE(report->clean);
  ASSERT_EQ(report->damage.size(), 2u);
  EXPECT_EQ(report->damage[0].key, "key");
  EXPECT_EQ(report->damage[0].offset, kSegmentHeaderBytes);
  EXPECT_EQ(report->damage[0].what,
            "a compressed value that can't be restored");
  const std::string repaired = path() + "-repaired";
  ASSERT_TRUE(Repair(path(), repaired).ok());
  const auto store = Store::Open(repaired);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Visit((*store)->NewIterator()->get()),
            (Contents{{"other", Text(3)}}));
}

TEST_P(CompressionTest, RepairCopiesWhatIsStored) {
  for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), Text(i));
  const Contents all = All();
  const uint64_t live_bytes = LiveBytes();
  Close();
  const std::string repaired = path() + "-repaired";
  ASSERT_TRUE(Repair(path(), repaired).ok());
  const auto store = Store::Open(repaired);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Visit((*store)->NewIterator()->get()), all);
  EXPECT_EQ((*store)->GetStatistics().live_bytes, live_bytes);
}

INSTANTIATE_TEST_SUITE_P(Methods, CompressionTest,
                         testing::Values(Compression::kZstd,
                                         Compression::kLz4));

}  // namespace
}  // namespace stave
