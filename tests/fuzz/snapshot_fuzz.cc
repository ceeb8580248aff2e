#include <cstdint>
#include <map>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/snapshot_file.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/record.h"
#include "tools/stave/snapshot_reader.h"

// A snapshot file, behind a byte that tells whether the last four bytes are
// made the checksum of the others.

namespace {

using namespace stave;
using namespace stave::tool;

using Pairs = std::map<std::string, std::pair<std::string, absl::Time>>;

absl::StatusOr<Pairs> Read(const std::string& file) {
  std::istringstream input(file);
  const auto reader = SnapshotReader::Open(&input, "input");
  if (!reader.ok()) return reader.status();
  Pairs pairs;
  const absl::Status status = (*reader)->Visit([&](const Record& record) {
    FUZZ_CHECK(CheckKey(record.key).ok() && CheckValue(record.value).ok());
    FUZZ_CHECK((*reader)->Contains(record.key));
    const bool is_new =
        pairs
            .emplace(record.key, std::make_pair(std::string(record.value),
                                                record.expire_at))
            .second;
    FUZZ_CHECK(is_new);
    return absl::OkStatus();
  });
  FUZZ_CHECK(status.ok());
  FUZZ_CHECK(pairs.size() == (*reader)->records());
  return pairs;
}

absl::StatusOr<std::string> Write(SnapshotFormat format, const Pairs& pairs) {
  std::string file;
  const auto walk = [&](SnapshotVisitor visit) {
    for (const auto& [key, held] : pairs) {
      const absl::Status status = visit({key, held.first, held.second});
      if (!status.ok()) return status;
    }
    return absl::OkStatus();
  };
  const absl::Status status =
      WriteSnapshot(format, absl::FromUnixSeconds(1768473000), walk,
                    [&](std::string_view bytes) {
                      file += bytes;
                      return absl::OkStatus();
                    });
  if (!status.ok()) return status;
  return file;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  std::string file(FuzzInput(data + 1, size - 1));
  if (data[0] % 2 == 1 && file.size() >= sizeof(uint32_t)) {
    file.resize(file.size() - sizeof(uint32_t));
    AppendFixed(Crc32c(file), &file);
  }
  const absl::StatusOr<Pairs> pairs = Read(file);
  if (!pairs.ok()) {
    FUZZ_CHECK(absl::IsInvalidArgument(pairs.status()));
    return 0;
  }
  for (const SnapshotFormat format :
       {SnapshotFormat::kJson, SnapshotFormat::kBinary,
        SnapshotFormat::kBinaryV1}) {
    const absl::StatusOr<std::string> written = Write(format, *pairs);
    // Version 1 has no place for expiries.
    if (!written.ok() && format == SnapshotFormat::kBinaryV1) continue;
    FUZZ_CHECK(written.ok());
    const absl::StatusOr<Pairs> again = Read(*written);
    FUZZ_CHECK(again.ok() && *again == *pairs);
  }
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  const absl::Time later = absl::FromUnixMillis(4102444800000);
  const absl::Time never = absl::InfiniteFuture();
  const Pairs text = {{"user:1", {"Alice", never}}, {"a", {"", never}}};
  const Pairs all = {{"session", {"\xc3\xa4\n\"", later}},
                     {"\xff", {"\x01", never}},
                     {"half", {"\x80", later}}};
  std::vector<std::string> seeds;
  for (const Pairs& pairs : {Pairs(), text, all}) {
    for (const SnapshotFormat format :
         {SnapshotFormat::kJson, SnapshotFormat::kBinary,
          SnapshotFormat::kBinaryV1}) {
      const auto file = Write(format, pairs);
      if (!file.ok()) continue;
      seeds.push_back(std::string(1, '\0') + *file);
      if (format == SnapshotFormat::kBinary) {
        seeds.push_back(std::string(1, '\1') + *file);
      }
    }
  }
  return seeds;
}
