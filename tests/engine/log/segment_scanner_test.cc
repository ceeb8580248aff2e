#include "engine/log/segment_scanner.h"

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"
#include "tests/engine/format/segment_image.h"

namespace stave {
namespace {

using Step = SegmentScanner::Step;

class SegmentScannerTest : public testing::Test {
 protected:
  // What a walk through the image's bytes, or through others, found.
  struct Walk {
    std::vector<std::string> keys;  // of puts and deletes
    Step last = Step::kRecord;
    uint64_t end = 0;
    std::string problem;
    SegmentSummary summary;
  };
  Walk Scan(std::string_view bytes, bool check_bodies = true) const {
    Walk walk;
    SegmentScanner scanner(bytes, image_.seed(), check_bodies, kind_);
    RecordView record;
    while ((walk.last = scanner.Next(&record)) == Step::kRecord) {
      if (!record.key.empty()) walk.keys.emplace_back(record.key);
    }
    walk.end = scanner.offset();
    walk.problem = scanner.problem();
    walk.summary = scanner.summary();
    EXPECT_EQ(walk.end, walk.summary.length);
    return walk;
  }
  Walk Scan() const { return Scan(image_.bytes()); }

  void ExpectBadRecord(uint64_t offset, std::string_view problem) const {
    const Walk walk = Scan();
    EXPECT_EQ(walk.last, Step::kBadRecord);
    EXPECT_EQ(walk.end, offset);
    EXPECT_EQ(walk.problem, problem);
  }

  uint64_t FindSynced(uint64_t from, SegmentId segment) const {
    return FindSyncedLength(image_.bytes(), from, image_.seed(), segment);
  }
  void FlipBit(uint64_t offset) {
    image_.bytes()[offset] = static_cast<char>(image_.bytes()[offset] ^ 1);
  }

  SegmentImage image_;
  SegmentKind kind_ = SegmentKind::kLog;
};

using Keys = std::vector<std::string>;

TEST_F(SegmentScannerTest, SegmentWithoutRecordsEndsBehindItsHeader) {
  const Walk walk = Scan();
  EXPECT_EQ(walk.last, Step::kCleanEnd);
  EXPECT_EQ(walk.end, kSegmentHeaderBytes);
  EXPECT_EQ(walk.summary, (SegmentSummary{kSegmentHeaderBytes, 0, 0, 0, 0}));
}

TEST_F(SegmentScannerTest, BytesTooShortForAHeaderHaveNoRecords) {
  EXPECT_EQ(Scan(std::string_view(image_.bytes()).substr(0, 10)).last,
            Step::kCleanEnd);
  EXPECT_EQ(Scan("").last, Step::kCleanEnd);
}

TEST_F(SegmentScannerTest, RecordsComeInTheirOrder) {
  const uint64_t put = image_.Put("a", "1");
  const uint64_t expiring = image_.PutExpiring("b", "2", 77);
  image_.Delete("a");
  SegmentScanner scanner(image_.bytes(), image_.seed(), true);
  RecordView record;
  ASSERT_EQ(scanner.Next(&record), Step::kRecord);
  EXPECT_EQ(record.offset, put);
  EXPECT_EQ(record.key, "a");
  EXPECT_EQ(record.value, "1");
  EXPECT_EQ(record.header.sequence, 1u);
  ASSERT_EQ(scanner.Next(&record), Step::kRecord);
  EXPECT_EQ(record.offset, expiring);
  EXPECT_EQ(record.header.expire_at_ms, 77);
  ASSERT_EQ(scanner.Next(&record), Step::kRecord);
  EXPECT_EQ(record.header.kind, RecordKind::kDelete);
  EXPECT_EQ(record.value, "");
  EXPECT_EQ(scanner.Next(&record), Step::kCleanEnd);
}

TEST_F(SegmentScannerTest, SummaryTellsWhatWasThere) {
  SegmentImage image(image_.header(), /*first_sequence=*/100);
  image.Put("a", "1");
  image.Batch([&] { image.Put("b", "2"); });
  image.Mark(32);
  const SegmentSummary summary = Scan(image.bytes()).summary;
  EXPECT_EQ(summary.length, image.size());
  EXPECT_EQ(summary.least_sequence, 100u);
  EXPECT_EQ(summary.greatest_sequence, 103u);
  EXPECT_EQ(summary.records, 4u);
}

TEST_F(SegmentScannerTest, AnOutputOfAMergeHasAnySequences) {
  SegmentImage image(image_.header(), /*first_sequence=*/100);
  image.Put("a", "1");
  image.SkipSequence();
  image.Delete("b");
  image.SetNextSequence(7);
  image.Put("c", "2");
  EXPECT_EQ(Scan(image.bytes()).last, Step::kBadRecord);
  kind_ = SegmentKind::kMerged;
  const Walk walk = Scan(image.bytes());
  EXPECT_EQ(walk.last, Step::kCleanEnd);
  EXPECT_EQ(walk.keys, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(walk.summary.least_sequence, 7u);
  EXPECT_EQ(walk.summary.greatest_sequence, 102u);
}

TEST_F(SegmentScannerTest, AnOutputOfAMergeHasPutsAndDeletesAlone) {
  kind_ = SegmentKind::kMerged;
  image_.Put("a", "1");
  SegmentImage marked = image_, framed = image_;
  marked.Mark(32);
  framed.Batch([&] { framed.Put("b", "2"); });
  for (const SegmentImage& image : {marked, framed}) {
    const Walk walk = Scan(image.bytes());
    EXPECT_EQ(walk.last, Step::kBadRecord);
    EXPECT_EQ(walk.end, image_.size());
  }
}

TEST_F(SegmentScannerTest, ChainOfHeaderChecksumsTellsRecordsApart) {
  image_.Put("a", "1");
  SegmentImage other;
  other.Put("a", "2");
  EXPECT_EQ(Scan(other.bytes()).last, Step::kCleanEnd);
  EXPECT_NE(Scan().summary.chain_crc, Scan(other.bytes()).summary.chain_crc);
}

TEST_F(SegmentScannerTest, ZerosBehindTheRecordsAreACleanEnd) {
  image_.Put("a", "1");
  const uint64_t end = image_.size();
  for (const size_t zeros : {1, 7, 8, 24, 25, 4096, 100'000}) {
    const Walk walk = Scan(image_.bytes() + std::string(zeros, '\0'));
    EXPECT_EQ(walk.last, Step::kCleanEnd) << zeros;
    EXPECT_EQ(walk.end, end);
  }
}

TEST_F(SegmentScannerTest, AnythingBehindZerosIsABadRecord) {
  image_.Put("a", "1");
  const uint64_t end = image_.size();
  image_.AddZeros(1000);
  for (uint64_t at = end; at < image_.size(); ++at) {
    FlipBit(at);
    ExpectBadRecord(end, "wrong checksum of a record's header");
    FlipBit(at);
  }
}

TEST_F(SegmentScannerTest, RecordTornAtAnyByteIsNotThere) {
  image_.Put("a", "1");
  const uint64_t torn = image_.size();
  image_.PutExpiring("key", "and its value", 5);
  const uint64_t used = torn + kMaxRecordHeaderBytes + 16;
  for (uint64_t cut = torn; cut < used; ++cut) {
    std::string bytes = image_.bytes().substr(0, cut);
    EXPECT_EQ(Scan(bytes).keys, Keys{"a"}) << cut;
    bytes.resize(image_.size() + 100, '\0');
    const Walk walk = Scan(bytes);
    EXPECT_EQ(walk.keys, Keys{"a"}) << cut;
    EXPECT_EQ(walk.end, torn);
  }
}

TEST_F(SegmentScannerTest, EveryFlippedBitOfARecordIsFound) {
  image_.Put("a", "1");
  const uint64_t offset = image_.PutExpiring("b", "two", 5);
  const std::string before = image_.bytes().substr(0, offset);
  ForEachFlippedBit(image_.bytes().substr(offset),
                    [&](const std::string& damaged) {
                      const Walk walk = Scan(before + damaged);
                      EXPECT_EQ(walk.last, Step::kBadRecord);
                      EXPECT_EQ(walk.end, offset);
                    });
}

TEST_F(SegmentScannerTest, BodiesAreCheckedOnlyIfAskedFor) {
  image_.Put("a", "1");
  FlipBit(kSegmentHeaderBytes + kRecordHeaderBytes + 1);
  ExpectBadRecord(kSegmentHeaderBytes, "wrong checksum of a record's body");
  EXPECT_EQ(Scan(image_.bytes(), /*check_bodies=*/false).last, Step::kCleanEnd);
}

TEST_F(SegmentScannerTest, GapInTheSequencesIsABadRecord) {
  image_.Put("a", "1");
  image_.SkipSequence();
  ExpectBadRecord(image_.Put("b", "2"), "a record out of sequence");
}

TEST_F(SegmentScannerTest, SequenceZeroIsABadRecord) {
  SegmentImage image(image_.header(), /*first_sequence=*/0);
  image.Put("a", "1");
  EXPECT_EQ(Scan(image.bytes()).problem, "a record out of sequence");
}

TEST_F(SegmentScannerTest, RecordOfAnotherPlaceIsABadRecord) {
  const uint64_t first = image_.Put("a", "1");
  const uint64_t second = image_.Put("a", "1");
  image_.bytes().replace(second, second - first,
                         image_.bytes().substr(first, second - first));
  ExpectBadRecord(second, "wrong checksum of a record's header");
}

TEST_F(SegmentScannerTest, RecordsOfAnotherSegmentAreBadRecords) {
  const SegmentHeader& mine = image_.header();
  for (const SegmentHeader& header :
       {SegmentHeader{mine.kind, mine.id + 1, mine.salt},
        SegmentHeader{mine.kind, mine.id, mine.salt + 1}}) {
    SegmentImage other(header);
    other.Put("a", "1");
    EXPECT_EQ(Scan(other.bytes()).last, Step::kBadRecord);
  }
}

TEST_F(SegmentScannerTest, BatchIsAFrameAndItsRecords) {
  image_.Batch([&] {
    image_.Put("a", "1");
    image_.Delete("b");
  });
  image_.Put("c", "3");
  const Walk walk = Scan();
  EXPECT_EQ(walk.last, Step::kCleanEnd);
  EXPECT_EQ(walk.keys, (Keys{"a", "b", "c"}));
  EXPECT_EQ(walk.summary.records, 4u);
}

TEST_F(SegmentScannerTest, EmptyBatchIsOnlyAFrame) {
  image_.Batch([] {});
  image_.Put("a", "1");
  EXPECT_EQ(Scan().keys, Keys{"a"});
  EXPECT_EQ(Scan().summary.records, 2u);
}

TEST_F(SegmentScannerTest, BatchTornAtAnyByteIsWhollyInvisible) {
  image_.Put("a", "1");
  const uint64_t torn = image_.Batch([&] {
    image_.Put("b", "2");
    image_.PutExpiring("c", "3", 9);
    image_.Put("d", "12345678");  // no padding behind its last byte
  });
  for (uint64_t cut = torn; cut < image_.size() - 7; ++cut) {
    std::string bytes = image_.bytes().substr(0, cut);
    EXPECT_EQ(Scan(bytes).keys, Keys{"a"}) << cut;
    bytes.resize(image_.size() + 100, '\0');
    EXPECT_EQ(Scan(bytes).keys, Keys{"a"}) << cut;
    EXPECT_EQ(Scan(bytes).end, torn) << cut;
  }
}

TEST_F(SegmentScannerTest, EveryFlippedBitOfABatchHidesAllOfIt) {
  const uint64_t offset = image_.Batch([&] {
    image_.Put("a", "1");
    image_.Delete("b");
  });
  const std::string before = image_.bytes().substr(0, offset);
  ForEachFlippedBit(image_.bytes().substr(offset),
                    [&](const std::string& damaged) {
                      EXPECT_EQ(Scan(before + damaged).end, offset);
                    });
}

TEST_F(SegmentScannerTest, BatchThatClaimsAnotherNumberOfRecordsIsBad) {
  for (const uint32_t claimed : {0u, 1u, 3u, 0xffffffffu}) {
    SegmentImage image;
    image.Batch(
        [&] {
          image.Put("a", "1");
          image.Put("b", "2");
        },
        claimed);
    const Walk walk = Scan(image.bytes());
    EXPECT_EQ(walk.problem, "a batch with a wrong number of records");
    EXPECT_EQ(walk.end, kSegmentHeaderBytes);
  }
}

TEST_F(SegmentScannerTest, BatchWithinABatchIsBad) {
  const uint64_t outer =
      image_.Batch([&] { image_.Batch([&] { image_.Put("a", "1"); }); });
  ExpectBadRecord(outer,
                  "a record within a batch that is neither put nor delete");
}

TEST_F(SegmentScannerTest, SyncMarkWithinABatchIsBad) {
  const uint64_t frame = image_.Batch([&] { image_.Mark(32); });
  ExpectBadRecord(frame,
                  "a record within a batch that is neither put nor delete");
}

TEST_F(SegmentScannerTest, GapInTheSequencesOfABatchIsBad) {
  const uint64_t frame = image_.Batch([&] {
    image_.Put("a", "1");
    image_.SkipSequence();
    image_.Put("b", "2");
  });
  ExpectBadRecord(frame, "a record out of sequence");
}

// The frame ends within the last record.
TEST_F(SegmentScannerTest, BatchThatItsRecordsDoNotFillIsBad) {
  for (const uint32_t shorter : {1, 8, 31, 32}) {
    SegmentImage image;
    const uint64_t offset = image.Batch([&] { image.Put("a", "1"); });
    RecordHeader frame;
    frame.kind = RecordKind::kBatch;
    frame.value_size = 32 - shorter;
    frame.body = 1;
    frame.sequence = 1;
    EncodeRecordHeader(frame, RecordSeed(image.seed(), offset),
                       &image.bytes()[offset]);
    EXPECT_EQ(Scan(image.bytes()).last, Step::kBadRecord) << shorter;
  }
}

TEST_F(SegmentScannerTest, RandomBytesBehindRecordsAreNoRecords) {
  image_.Put("a", "1");
  ForEachRandomString(20'000, 200, [&](const std::string& bytes) {
    EXPECT_EQ(Scan(image_.bytes() + bytes).keys, Keys{"a"});
    FindSyncedLength(image_.bytes() + bytes, 0, image_.seed(), 7);
  });
}

TEST_F(SegmentScannerTest, HoldsARecordIfOneIsRightAnywhere) {
  EXPECT_FALSE(HoldsRecord("", image_.seed()));
  EXPECT_FALSE(HoldsRecord(image_.bytes(), image_.seed()));
  image_.AddZeros(512);
  EXPECT_FALSE(HoldsRecord(image_.bytes(), image_.seed()));
  const uint64_t first = image_.Put("a", "1");
  EXPECT_TRUE(HoldsRecord(image_.bytes(), image_.seed()));
  FlipBit(first);
  EXPECT_FALSE(HoldsRecord(image_.bytes(), image_.seed()));
  image_.Put("b", "2");
  EXPECT_TRUE(HoldsRecord(image_.bytes(), image_.seed()));
}

TEST_F(SegmentScannerTest, WithoutSyncMarksNothingIsSynced) {
  image_.Put("a", "1");
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id), 0u);
  EXPECT_EQ(FindSyncedLength("", 0, image_.seed(), 7), 0u);
}

TEST_F(SegmentScannerTest, SyncMarkBehindABadRecordIsFound) {
  const uint64_t bad = image_.Put("a", "1");
  const uint64_t synced = image_.size();
  image_.Mark(synced);
  FlipBit(bad);
  EXPECT_EQ(Scan().last, Step::kBadRecord);
  EXPECT_EQ(FindSynced(bad, image_.header().id), synced);
}

TEST_F(SegmentScannerTest, SyncMarkBehindZerosIsFound) {
  image_.AddZeros(4096);
  image_.Mark(40);
  image_.AddZeros(8);
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id), 40u);
}

TEST_F(SegmentScannerTest, SearchBeginsAtTheNextRecordsPlace) {
  const uint64_t mark = image_.Mark(40);
  EXPECT_EQ(FindSynced(mark, image_.header().id), 40u);
  EXPECT_EQ(FindSynced(mark - 7, image_.header().id), 40u);
  EXPECT_EQ(FindSynced(mark + 1, image_.header().id), 0u);
}

TEST_F(SegmentScannerTest, GreatestLengthOfAllSyncMarksCounts) {
  image_.Mark(64);
  image_.Mark(160);
  image_.Mark(96);
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id), 160u);
}

TEST_F(SegmentScannerTest, SyncMarksSpeakOfTheSegmentTheyName) {
  image_.Mark(SyncMark{image_.header().id - 1, 4096, 0});
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id), 0u);
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id - 1), 4096u);
}

TEST_F(SegmentScannerTest, EveryFlippedBitOfASyncMarkSilencesIt) {
  const uint64_t offset = image_.Mark(40);
  const std::string before = image_.bytes().substr(0, offset);
  ForEachFlippedBit(
      image_.bytes().substr(offset), [&](const std::string& damaged) {
        EXPECT_EQ(FindSyncedLength(before + damaged, offset, image_.seed(),
                                   image_.header().id),
                  0u);
      });
}

TEST_F(SegmentScannerTest, SyncMarkInAValueIsNotHeard) {
  SegmentImage other(image_.header());
  other.AddZeros(64);
  const uint64_t mark = other.Mark(1 << 20);
  image_.Put("key", other.bytes().substr(mark));
  EXPECT_EQ(FindSynced(kSegmentHeaderBytes, image_.header().id), 0u);
}

}  // namespace
}  // namespace stave
