#include "engine/log/segment_writer.h"

#include <sys/resource.h>

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/scoped_limit.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

constexpr uint64_t kMiB = 1 << 20;
constexpr char kName[] = "0000000000000007.seg";

// A segment that grows, in each of the two ways of writing.
class SegmentWriterTest : public testing::TestWithParam<bool> {
 protected:
  using Files = FaultyFileSystem;

  SegmentWriterTest()
      : directory_(files_.OpenDirectory(temporary_.path()).value()) {}

  static bool mapped() { return GetParam(); }

  absl::Status TryCreate(uint64_t capacity) {
    SegmentWriter::Settings settings;
    settings.header = image_.header();
    settings.capacity = capacity;
    settings.range = Location{1 << 17};
    settings.mapped = mapped();
    auto writer = SegmentWriter::Create(directory_.get(), settings);
    if (!writer.ok()) return writer.status();
    writer_ = *std::move(writer);
    return absl::OkStatus();
  }
  void Create(uint64_t capacity = kMiB) {
    ASSERT_EQ(TryCreate(capacity), absl::OkStatus());
  }

  // As a clean close and the next open do.
  void TrimAndResume() {
    ASSERT_EQ(writer_->Trim(), absl::OkStatus());
    const SegmentSummary summary = writer_->summary();
    Segment::Parts parts;
    parts.header = image_.header();
    parts.name = kName;
    parts.file = directory_->OpenFile(kName, /*writable=*/true).value();
    parts.mapping = parts.file->Map(kMiB, mapped()).value();
    parts.first = Location{1 << 17};
    writer_ = SegmentWriter::Resume(Segment::Adopt(std::move(parts)), summary,
                                    mapped());
  }

  static PendingRecord Record(std::string_view key, std::string_view value) {
    PendingRecord record;
    record.key = key;
    record.value = value;
    record.header.key_size = static_cast<uint16_t>(key.size());
    record.header.value_size = static_cast<uint32_t>(value.size());
    record.header.body = BodyChecksum(key, value);
    return record;
  }
  absl::Status Put(std::string_view key, std::string_view value) {
    const PendingRecord record = Record(key, value);
    const absl::Status reserved = writer_->Reserve(record.size());
    if (!reserved.ok()) return reserved;
    return writer_->Append(record, writer_->summary().greatest_sequence + 1)
        .status();
  }

  std::string FileBytes() {
    auto file = directory_->OpenFile(kName, /*writable=*/false).value();
    std::string bytes(file->Size().value(), 'x');
    EXPECT_TRUE(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).ok());
    return bytes;
  }
  uint64_t FileSize() {
    return directory_->OpenFile(kName, false).value()->Size().value();
  }
  // The file without what is reserved behind the records.
  std::string RecordBytes() {
    std::string bytes = FileBytes();
    EXPECT_EQ(bytes.find_first_not_of('\0', writer_->length()), bytes.npos);
    return bytes.substr(0, writer_->length());
  }

  const TemporaryDirectory temporary_;
  FaultyFileSystem files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_;
  SegmentImage image_;  // what should be in the file
  std::unique_ptr<SegmentWriter> writer_;
};

INSTANTIATE_TEST_SUITE_P(, SegmentWriterTest, testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "Mapped" : "Written";
                         });

TEST_P(SegmentWriterTest, NewSegmentHoldsItsHeaderAlone) {
  Create();
  EXPECT_EQ(RecordBytes(), image_.bytes());
  EXPECT_EQ(writer_->length(), kSegmentHeaderBytes);
  EXPECT_EQ(files_.calls(Files::kSyncData), 1);
}

TEST_P(SegmentWriterTest, WritesWhatTheFormatSays) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  ASSERT_EQ(Put("key", std::string(10'000, 'v')), absl::OkStatus());
  PendingRecord expiring = Record("b", "");
  expiring.header.expires = true;
  expiring.header.expire_at_ms = 99;
  ASSERT_TRUE(writer_->AppendFrame(expiring.size(), 1, 3).ok());
  ASSERT_TRUE(writer_->Append(expiring, 4).ok());

  image_.Put("a", "1");
  image_.Put("key", std::string(10'000, 'v'));
  image_.Batch([&] { image_.PutExpiring("b", "", 99); });
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(SegmentWriterTest, SummaryIsWhatAScanFinds) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  ASSERT_EQ(Put("b", "22"), absl::OkStatus());
  const std::string bytes = RecordBytes();
  SegmentScanner scanner(bytes, image_.seed(), /*check_bodies=*/true);
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) continue;
  EXPECT_EQ(scanner.summary(), writer_->summary());
  EXPECT_EQ(writer_->segment()->end().load(), writer_->summary().length);
}

TEST_P(SegmentWriterTest, RecordsAreReadThroughTheMappingAtOnce) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  const Segment& segment = *writer_->segment();
  RecordView record;
  ASSERT_TRUE(ReadRecord(segment.bytes_from(kSegmentHeaderBytes),
                         kSegmentHeaderBytes, segment.seed(), &record));
  EXPECT_EQ(record.value, "1");
}

TEST_P(SegmentWriterTest, HasRoomForItsCapacityAndNoMore) {
  Create(kSegmentHeaderBytes + 64);
  EXPECT_TRUE(writer_->HasRoom(64));
  EXPECT_FALSE(writer_->HasRoom(65));
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  EXPECT_TRUE(writer_->HasRoom(32));
  EXPECT_FALSE(writer_->HasRoom(33));
  EXPECT_FALSE(writer_->HasRoom(~uint64_t{0}));
}

TEST_P(SegmentWriterTest, CreationThatFailsLeavesNoFile) {
  for (const auto operation : {Files::kWrite, Files::kSyncData}) {
    files_.Fail(operation, DiskFull());
    EXPECT_EQ(TryCreate(kMiB), DiskFull());
    EXPECT_TRUE(directory_->List()->empty());
  }
  Create();
}

TEST_P(SegmentWriterTest, RewindTakesBackWhatWasAppended) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  const SegmentSummary before = writer_->summary();
  ASSERT_EQ(Put("b", "2"), absl::OkStatus());
  ASSERT_EQ(writer_->RewindTo(before), absl::OkStatus());
  EXPECT_EQ(writer_->summary(), before);
  EXPECT_EQ(writer_->length(), before.length);
  ASSERT_EQ(Put("c", "3"), absl::OkStatus());
  image_.Put("a", "1");
  image_.Put("c", "3");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(SegmentWriterTest, TrimCutsTheFileToItsRecords) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  ASSERT_EQ(writer_->Trim(), absl::OkStatus());
  EXPECT_EQ(FileSize(), writer_->length());
  EXPECT_EQ(writer_->segment()->file_bytes().load(), writer_->length());
}

TEST_P(SegmentWriterTest, NothingIsReservedBehindATrimmedSegment) {
  Create(16 * kMiB);
  ASSERT_EQ(writer_->Trim(), absl::OkStatus());
  EXPECT_EQ(writer_->ExtendAhead(), absl::OkStatus());
  writer_->PopulateAhead(kMiB, SegmentWriter::Pages::kSmall);
  EXPECT_EQ(FileSize(), kSegmentHeaderBytes);
}

TEST_P(SegmentWriterTest, ResumedSegmentGoesOnWhereItEnded) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  TrimAndResume();
  ASSERT_EQ(Put("b", "2"), absl::OkStatus());
  image_.Put("a", "1");
  image_.Put("b", "2");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

// As on ext3, which answers statfs(2) as ext4 does.
TEST_P(SegmentWriterTest, WhereSpaceCannotBeReservedRecordsAreWritten) {
  files_.FailAlways(Files::kAllocate, absl::UnimplementedError("fallocate"));
  Create();
  EXPECT_EQ(FileSize(), kSegmentHeaderBytes);
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  EXPECT_EQ(FileSize(), writer_->length());
  image_.Put("a", "1");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(SegmentWriterTest, ResumedSegmentIsWrittenWhereSpaceCannotBeReserved) {
  files_.FailAlways(Files::kAllocate, absl::UnimplementedError("fallocate"));
  Create();
  TrimAndResume();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  EXPECT_EQ(FileSize(), writer_->length());
  image_.Put("a", "1");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

// What only mapped segments do: reserve space ahead of the tail.
class MappedSegmentTest : public SegmentWriterTest {
 protected:
  // The file's size once `size` bytes have space behind the header.
  uint64_t SizeWithSpaceFor(uint64_t size) {
    EXPECT_EQ(writer_->Reserve(size), absl::OkStatus());
    EXPECT_EQ(writer_->segment()->file_bytes().load(), FileSize());
    return FileSize();
  }
};

INSTANTIATE_TEST_SUITE_P(, MappedSegmentTest, testing::Values(true));

TEST_P(MappedSegmentTest, SpaceIsReservedInStepsThatDouble) {
  Create(64 * kMiB);
  EXPECT_EQ(FileSize(), kMiB);
  EXPECT_EQ(SizeWithSpaceFor(kMiB - kSegmentHeaderBytes), kMiB);
  EXPECT_EQ(SizeWithSpaceFor(kMiB), 2 * kMiB);
  EXPECT_EQ(SizeWithSpaceFor(2 * kMiB), 4 * kMiB);
  EXPECT_EQ(SizeWithSpaceFor(4 * kMiB), 8 * kMiB);
}

TEST_P(MappedSegmentTest, SpaceIsNeverReservedPastTheCapacity) {
  Create(3 * kMiB);
  EXPECT_EQ(SizeWithSpaceFor(kMiB), 2 * kMiB);
  EXPECT_EQ(SizeWithSpaceFor(2 * kMiB), 3 * kMiB);
}

TEST_P(MappedSegmentTest, SmallSegmentIsReservedWhole) {
  Create(4096);
  EXPECT_EQ(FileSize(), 4096u);
}

TEST_P(MappedSegmentTest, LargeRecordGetsItsSpaceInOneStep) {
  Create(16 * kMiB);
  EXPECT_EQ(SizeWithSpaceFor(10 * kMiB), 10 * kMiB + kSegmentHeaderBytes);
}

TEST_P(MappedSegmentTest, NextStepIsReservedBeforeItIsNeeded) {
  Create(16 * kMiB);
  EXPECT_EQ(writer_->ExtendAhead(), absl::OkStatus());
  EXPECT_EQ(FileSize(), kMiB);
  ASSERT_EQ(Put("a", std::string(kMiB / 2, 'v')), absl::OkStatus());
  EXPECT_EQ(writer_->ExtendAhead(), absl::OkStatus());
  EXPECT_EQ(FileSize(), 2 * kMiB);
}

TEST_P(MappedSegmentTest, FullDiskIsMetBeforeAByteIsStored) {
  Create(16 * kMiB);
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  const SegmentSummary before = writer_->summary();
  files_.FailAlways(Files::kAllocate, DiskFull());
  EXPECT_EQ(Put("b", std::string(kMiB, 'v')), DiskFull());
  EXPECT_EQ(writer_->ExtendAhead(), absl::OkStatus());
  EXPECT_EQ(writer_->summary(), before);
  EXPECT_EQ(Put("c", "still fits"), absl::OkStatus());
  files_.Heal(Files::kAllocate);
  EXPECT_EQ(Put("d", std::string(kMiB, 'v')), absl::OkStatus());
  image_.Put("a", "1");
  image_.Put("c", "still fits");
  image_.Put("d", std::string(kMiB, 'v'));
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(MappedSegmentTest, DiskThatIsNearlyFullGivesASmallStep) {
  Create(16 * kMiB);
  files_.Fail(Files::kAllocate, DiskFull());
  EXPECT_EQ(SizeWithSpaceFor(kMiB), kMiB + (64 << 10));
}

TEST_P(MappedSegmentTest, DiskThatIsNearlyFullGivesWhatARecordNeeds) {
  Create(16 * kMiB);
  int failures = 0;
  files_.Before(Files::kAllocate, [&] {
    if (++failures < 2) files_.Fail(Files::kAllocate, DiskFull());
  });
  files_.Fail(Files::kAllocate, DiskFull());
  EXPECT_EQ(SizeWithSpaceFor(kMiB), kMiB + kSegmentHeaderBytes);
}

// A call that fails may have taken all that was left.
TEST_P(MappedSegmentTest, SpaceThatIsNotEnoughIsGivenBack) {
  Create(16 * kMiB);
  const int before = files_.calls(Files::kTruncate);
  files_.FailAlways(Files::kAllocate, DiskFull());
  EXPECT_EQ(Put("b", std::string(kMiB, 'v')), DiskFull());
  EXPECT_GT(files_.calls(Files::kTruncate), before);
  EXPECT_EQ(FileSize(), kMiB);
}

TEST_P(MappedSegmentTest, NearlyFullDiskTakesASmallBeginning) {
  files_.Fail(Files::kAllocate, DiskFull());
  EXPECT_EQ(TryCreate(kMiB), absl::OkStatus());
}

TEST_P(MappedSegmentTest, FullDiskAtCreationLeavesNoFile) {
  files_.FailAlways(Files::kAllocate, DiskFull());
  EXPECT_EQ(TryCreate(kMiB), DiskFull());
  EXPECT_TRUE(directory_->List()->empty());
}

TEST_P(MappedSegmentTest, PopulatingAheadChangesNoByte) {
  Create(8 * kMiB);
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  writer_->PopulateAhead(64 << 10, SegmentWriter::Pages::kSmall);
  writer_->PopulateAhead(16 * kMiB, SegmentWriter::Pages::kHuge);
  EXPECT_EQ(FileSize(), kMiB);
  EXPECT_FALSE(writer_->huge_pages_lie_ahead());
  image_.Put("a", "1");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(MappedSegmentTest, HugePagesAreWhereTheyFitAndAreWanted) {
  constexpr uint64_t kHuge = File::kHugePageBytes;
  Create(8 * kHuge);
  ASSERT_EQ(Put("a", std::string(3 * kHuge / 2, 'v')), absl::OkStatus());
  ASSERT_EQ(writer_->Reserve(3 * kHuge), absl::OkStatus());
  writer_->PopulateAhead(kHuge / 4, SegmentWriter::Pages::kSmall);
  EXPECT_FALSE(writer_->huge_pages_lie_ahead());
  writer_->PopulateAhead(kHuge, SegmentWriter::Pages::kHuge);
  EXPECT_TRUE(writer_->huge_pages_lie_ahead());
  ASSERT_EQ(Put("b", std::string(kHuge, 'v')), absl::OkStatus());
  EXPECT_TRUE(writer_->huge_pages_lie_ahead());
  ASSERT_EQ(Put("c", std::string(kHuge, 'v')), absl::OkStatus());
  EXPECT_FALSE(writer_->huge_pages_lie_ahead());
  image_.Put("a", std::string(3 * kHuge / 2, 'v'));
  image_.Put("b", std::string(kHuge, 'v'));
  image_.Put("c", std::string(kHuge, 'v'));
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(MappedSegmentTest, NothingIsDoneAheadOfASealedSegment) {
  constexpr uint64_t kHuge = File::kHugePageBytes;
  Create(8 * kHuge);
  ASSERT_EQ(Put("a", std::string(3 * kHuge, 'v')), absl::OkStatus());
  ASSERT_EQ(writer_->Trim(), absl::OkStatus());
  writer_->segment()->EndAppends();  // it has no file any more
  writer_->PopulateAhead(4 * kHuge, SegmentWriter::Pages::kHuge);
  writer_->StartSync();
  EXPECT_FALSE(writer_->huge_pages_lie_ahead());
  image_.Put("a", std::string(3 * kHuge, 'v'));
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(MappedSegmentTest, FullPagesMayBeOnTheirWayToTheDevice) {
  constexpr uint64_t kHuge = File::kHugePageBytes;
  Create(8 * kHuge);
  writer_->StartSync();
  ASSERT_EQ(Put("a", std::string(3 * kHuge, 'v')), absl::OkStatus());
  writer_->StartSync();
  ASSERT_EQ(Put("b", "2"), absl::OkStatus());
  writer_->StartSync();
  image_.Put("a", std::string(3 * kHuge, 'v'));
  image_.Put("b", "2");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

// What only written segments meet: a full disk in the midst of a record.
class WrittenSegmentTest : public SegmentWriterTest {};

INSTANTIATE_TEST_SUITE_P(, WrittenSegmentTest, testing::Values(false));

TEST_P(WrittenSegmentTest, RecordThatFailsIsNotThere) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  const SegmentSummary before = writer_->summary();
  files_.Fail(Files::kWrite, DiskFull());
  EXPECT_EQ(Put("b", "2"), DiskFull());
  EXPECT_EQ(writer_->summary(), before);
  ASSERT_EQ(Put("c", "3"), absl::OkStatus());
  image_.Put("a", "1");
  image_.Put("c", "3");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

TEST_P(WrittenSegmentTest, RecordThatIsCutByAFullDiskIsTakenBack) {
  Create();
  ASSERT_EQ(Put("a", "1"), absl::OkStatus());
  const uint64_t end = writer_->length();
  {
    const ScopedLimit limit(RLIMIT_FSIZE, end + 30);
    EXPECT_TRUE(absl::IsResourceExhausted(Put("b", "2 does not fit")));
    EXPECT_EQ(FileSize(), end);
  }
  ASSERT_EQ(Put("c", "3"), absl::OkStatus());
  image_.Put("a", "1");
  image_.Put("c", "3");
  EXPECT_EQ(RecordBytes(), image_.bytes());
}

}  // namespace
}  // namespace stave
