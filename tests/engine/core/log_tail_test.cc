#include "engine/core/log_tail.h"

#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "engine/base/types.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/segment_writer.h"
#include "gtest/gtest.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using Keys = std::vector<std::string>;

// A segment that another process adds to, and one who reads its file on.
class LogTailTest : public testing::Test {
 protected:
  LogTailTest() {
    SegmentWriter::Settings settings;
    settings.header.id = 7;
    settings.capacity = uint64_t{1} << 20;
    settings.range = Location{1 << 17};
    writer_ = SegmentWriter::Create(directory_.get(), settings).value();
    const std::string name = writer_->segment()->name();
    file_ = directory_->OpenFile(name, /*writable=*/false).value();
  }

  // Returns where its record ends.
  uint64_t Append(const std::string& key) {
    PendingRecord record;
    record.key = key;
    record.header.key_size = static_cast<uint16_t>(key.size());
    record.header.body = BodyChecksum(key, {});
    EXPECT_EQ(writer_->Reserve(record.size()), absl::OkStatus());
    EXPECT_EQ(writer_->Append(record, ++sequence_).status(), absl::OkStatus());
    return writer_->length();
  }

  // The keys behind `place`, which moves on.
  Keys Read(LogPlace* place, uint64_t limit) {
    Keys keys;
    LogTail tail(file_.get(), writer_->segment()->seed(), *place, limit);
    const absl::Status status = tail.Visit([&](const LogStep& step) {
      for (const RecordView& record : step.records) {
        keys.emplace_back(record.key);
      }
      return absl::OkStatus();
    });
    EXPECT_EQ(status, absl::OkStatus());
    *place = tail.place();
    return keys;
  }

  TemporaryDirectory temporary_;
  std::unique_ptr<Directory> directory_ =
      PosixFileSystem()->OpenDirectory(temporary_.path()).value();
  std::unique_ptr<SegmentWriter> writer_;
  std::unique_ptr<File> file_;
  Sequence sequence_ = 0;
};

TEST_F(LogTailTest, GoesOnBehindWhatItHasRead) {
  LogPlace place = {kSegmentHeaderBytes, 0};
  Append("a");
  Append("b");
  EXPECT_EQ(Read(&place, UINT64_MAX), (Keys{"a", "b"}));
  EXPECT_EQ(Read(&place, UINT64_MAX), Keys());
  const uint64_t end = Append("c");
  EXPECT_EQ(Read(&place, UINT64_MAX), (Keys{"c"}));
  EXPECT_EQ(place.offset, end);
  EXPECT_EQ(place.sequence, 3u);
}

// A follower has mapped the file as long as that was then: a record that does
// not end there is not there for it, though the file has it.
TEST_F(LogTailTest, TakesNoRecordThatReachesBehindTheLimit) {
  const uint64_t first = Append("a");
  const uint64_t second = Append("b");
  Append("c");
  for (const uint64_t limit : {second, second + 1, second + 31}) {
    LogPlace place = {kSegmentHeaderBytes, 0};
    EXPECT_EQ(Read(&place, limit), (Keys{"a", "b"})) << limit;
    EXPECT_EQ(place.offset, second);
  }
  LogPlace place = {kSegmentHeaderBytes, 0};
  EXPECT_EQ(Read(&place, second - 1), (Keys{"a"}));
  EXPECT_EQ(place.offset, first);
  // What a longer mapping shows comes next.
  EXPECT_EQ(Read(&place, UINT64_MAX), (Keys{"b", "c"}));
}

}  // namespace
}  // namespace stave
