#include "tools/stave/snapshot_reader.h"

#include <cstddef>
#include <ios>
#include <istream>
#include <memory>
#include <sstream>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "absl/time/time.h"
#include "engine/format/snapshot_file.h"
#include "gtest/gtest.h"
#include "stave/options.h"
#include "tools/stave/record.h"

namespace stave::tool {
namespace {

// A file on a device that refuses the byte at `bad`, and reads as
// std::filebuf does: by exceptions, of which a stream makes a bad one.
class FailingFile : public std::stringbuf {
 public:
  explicit FailingFile(const std::string& bytes)
      : std::stringbuf(bytes, std::ios::in) {}

  void FailAt(size_t bad) { bad_ = bad; }

 protected:
  std::streamsize xsgetn(char* to, std::streamsize size) override {
    const std::streamoff at = seekoff(0, std::ios::cur, std::ios::in);
    if (static_cast<size_t>(at + size) > bad_ &&
        static_cast<size_t>(at) <= bad_) {
      throw std::ios_base::failure("the device");
    }
    return std::stringbuf::xsgetn(to, size);
  }

 private:
  size_t bad_ = std::string::npos;
};

std::string Snapshot(SnapshotFormat format) {
  const std::vector<SnapshotEntry> entries = {
      {"user:1", "Alice"}, {std::string_view("\0\xff", 2), "b"}, {"c", ""}};
  const auto walk = [&entries](SnapshotVisitor visit) {
    for (const SnapshotEntry& entry : entries) {
      if (absl::Status status = visit(entry); !status.ok()) return status;
    }
    return absl::OkStatus();
  };
  std::string bytes;
  EXPECT_TRUE(WriteSnapshot(format, absl::UnixEpoch(), walk,
                            [&bytes](std::string_view more) {
                              bytes += more;
                              return absl::OkStatus();
                            })
                  .ok());
  return bytes;
}

absl::Status IgnoreRecord(const Record&) { return absl::OkStatus(); }

class SnapshotReaderTest : public testing::TestWithParam<SnapshotFormat> {};

// Neither is it said that the file is no snapshot, which would be the fault of
// who wrote it, nor is a part of it taken for all.
TEST_P(SnapshotReaderTest, AFileThatCannotBeReadIsAnErrorOfTheDevice) {
  const std::string bytes = Snapshot(GetParam());
  for (size_t bad = 0; bad < bytes.size(); ++bad) {
    FailingFile file(bytes);
    std::istream input(&file);
    file.FailAt(bad);
    const auto snapshot = SnapshotReader::Open(&input, "data");
    EXPECT_EQ(snapshot.status().code(), absl::StatusCode::kInternal)
        << bad << ": " << snapshot.status();
    EXPECT_TRUE(absl::StrContains(snapshot.status().message(), "data"));
  }
}

TEST_P(SnapshotReaderTest, SoItIsWhenItWasReadOnceBefore) {
  const std::string bytes = Snapshot(GetParam());
  for (size_t bad = 0; bad < bytes.size(); ++bad) {
    FailingFile file(bytes);
    std::istream input(&file);
    auto snapshot = SnapshotReader::Open(&input, "data");
    ASSERT_TRUE(snapshot.ok()) << snapshot.status();
    file.FailAt(bad);
    const absl::Status status = (*snapshot)->Visit(IgnoreRecord);
    EXPECT_EQ(status.code(), absl::StatusCode::kInternal)
        << bad << ": " << status;
  }
}

INSTANTIATE_TEST_SUITE_P(Formats, SnapshotReaderTest,
                         testing::Values(SnapshotFormat::kJson,
                                         SnapshotFormat::kBinary,
                                         SnapshotFormat::kBinaryV1));

}  // namespace
}  // namespace stave::tool
