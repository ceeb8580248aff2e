#include "tests/damage/written_store.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr size_t kUnit = 8;  // All that is written starts on such a multiple.

constexpr size_t kReservedBytes = 100;

// Where two files begin to differ; what one of them lacks counts as zeros
// unless `length_counts`.
size_t FirstDifference(std::string_view a, std::string_view b,
                       bool length_counts) {
  const size_t common = std::min(a.size(), b.size());
  const size_t at = static_cast<size_t>(
      std::mismatch(a.begin(), a.begin() + common, b.begin()).first -
      a.begin());
  if (at < common || a.size() == b.size()) return at;
  if (length_counts) return common;
  const std::string_view longer = a.size() > b.size() ? a : b;
  return std::min(longer.find_first_not_of('\0', common), longer.size());
}

bool IsSegment(std::string_view name) { return name.ends_with(".seg"); }

bool IsManifest(std::string_view name) { return name.starts_with("MANIFEST"); }

std::string_view Contents(const DirectoryImage& image,
                          const std::string& name) {
  const auto found = image.find(name);
  return found == image.end() ? std::string_view() : found->second;
}

// What is new in a file.
StoreImage::Written NewBytes(const std::string& name, std::string_view before,
                             std::string_view after) {
  const size_t begin = FirstDifference(before, after, false) / kUnit * kUnit;
  const size_t end = after.find_last_not_of('\0') + 1;
  const size_t padded_end =
      std::min((end + kUnit - 1) / kUnit * kUnit, after.size());
  if (begin >= padded_end) return {name, 0, "", 0};
  return {name, begin, std::string(after.substr(begin, padded_end - begin)), 0};
}

bool StandsIn(const StoreImage::Written& written, const DirectoryImage& image) {
  const std::string_view file = Contents(image, written.file);
  return written.offset <= file.size() &&
         file.substr(written.offset).starts_with(written.bytes);
}

void ExpectOk(const absl::Status& status) {
  EXPECT_TRUE(status.ok()) << status;
}

}  // namespace

size_t StoreImage::OperationsKept(const DirectoryImage& damaged) const {
  std::map<std::string, size_t> right;  // of segments that are damaged
  for (const auto& [name, bytes] : files) {
    if (!IsSegment(name)) continue;
    const std::string_view present = Contents(damaged, name);
    if (present != bytes) {
      right[name] = FirstDifference(bytes, present, true);
    }
  }
  size_t kept = operations();
  for (const Written& record : records) {
    // Of segments that are not sealed, the log may end in the first one.
    if (right.empty() || record.file < right.begin()->first) continue;
    const bool is_before =
        record.file == right.begin()->first &&
        record.offset + record.bytes.size() <= right.begin()->second;
    if (!is_before) kept = std::min(kept, record.operations);
  }
  for (const Written& voucher : vouchers) {
    if (!StandsIn(voucher, damaged)) continue;
    kept = std::max(kept, voucher.operations);
  }
  return kept;
}

WrittenStore::WrittenStore(uint64_t segment_size_bytes, bool checkpoints,
                           Compression compression, KeydirKind keydir)
    : disk_(std::make_unique<ImageFileSystem>()) {
  options_.segment_size_bytes = segment_size_bytes;
  if (checkpoints) {
    options_.checkpoint_min_keys = 0;
    options_.checkpoint_interval_bytes = 64;
  }
  options_.compression = compression;
  options_.compression_dictionary_bytes = 256;
  options_.keydir = keydir;
  options_.background_threads = false;
  options_.recovery_threads = 1;
  options_.max_space_amplification = 1000;  // merges only what it is told to
  options_.clock = &clock_;
  image_.after.emplace_back();
  Open();
}

void WrittenStore::Open() {
  options_.file_system = disk_.get();
  auto store = Store::Open("/store", options_);
  ASSERT_TRUE(store.ok()) << store.status();
  store_ = *std::move(store);
  Note(Step::kOther);
}

void WrittenStore::Put(const std::string& key, const std::string& value,
                       absl::Duration ttl) {
  WriteOptions write;
  write.ttl = ttl;
  ExpectOk(store_->Put(key, value, write));
  image_.after.push_back(image_.after.back());
  image_.after.back()[key] = {value, clock_.WallNow() + ttl};
  Note(Step::kOperation);
}

void WrittenStore::Delete(const std::string& key) {
  ExpectOk(store_->Delete(key).status());
  image_.after.push_back(image_.after.back());
  image_.after.back().erase(key);
  Note(Step::kOperation);
}

void WrittenStore::Write(const WriteBatch& batch) {
  ExpectOk(store_->Write(batch));
  image_.after.push_back(image_.after.back());
  for (size_t i = 0; i < batch.size(); ++i) {
    const WriteBatch::Operation operation = batch.operation(i);
    const std::string key(operation.key);
    if (operation.is_delete) {
      image_.after.back().erase(key);
    } else {
      image_.after.back()[key] = {std::string(operation.value)};
    }
  }
  Note(Step::kOperation);
}

void WrittenStore::Sync() {
  ExpectOk(store_->Sync());
  Note(Step::kSync);
}

void WrittenStore::CloseStore() {
  ExpectOk(store_->Close());
  store_ = nullptr;
  Note(Step::kOther);
}

void WrittenStore::Reopen() {
  CloseStore();
  Open();
}

void WrittenStore::MergeAll() {
  MergeOptions merge;
  merge.all = true;
  ExpectOk(store_->Merge(merge));
  Note(Step::kOther);
}

void WrittenStore::KillAndReopen() {
  // The old store goes on with files that nobody looks at any more.
  auto disk = std::make_unique<ImageFileSystem>(disk_->Files());
  store_ = nullptr;
  disk_ = std::move(disk);
  Open();
}

StoreImage WrittenStore::Close() {
  CloseStore();
  return Finish();
}

StoreImage WrittenStore::Kill() { return Finish(); }

void WrittenStore::Note(Step step) {
  const size_t earlier =
      image_.operations() - (step == Step::kOperation ? 1 : 0);
  DirectoryImage files = disk_->Files();
  for (const auto& [name, bytes] : files) {
    const std::string_view old = Contents(before_, name);
    if (!old.empty() && old != bytes) image_.old_files.emplace_back(name, old);
    StoreImage::Written written = NewBytes(name, old, bytes);
    written.operations = earlier;
    if (written.bytes.empty()) continue;
    if (IsManifest(name) && step != Step::kOperation) {
      // An edit says that the log is closed, or that all segments but the last
      // are sealed. One that an operation makes may only have added a segment.
      if (step == Step::kSync) written.operations = OperationsBeforeActive();
      image_.vouchers.push_back(std::move(written));
    } else if (IsSegment(name) && step == Step::kSync) {
      image_.vouchers.push_back(std::move(written));  // a mark
    } else if (IsSegment(name) && step == Step::kOperation) {
      image_.records.push_back(std::move(written));
    }
  }
  before_ = std::move(files);
}

size_t WrittenStore::OperationsBeforeActive() const {
  std::string active;
  for (const auto& record : image_.records) {
    active = std::max(active, record.file);
  }
  for (const auto& record : image_.records) {
    if (record.file == active) return record.operations;
  }
  return 0;
}

StoreImage WrittenStore::Finish() {
  image_.keydir = options_.keydir;
  image_.files = disk_->Files();
  for (auto& [name, bytes] : image_.files) {
    // Of the space that is reserved behind the last byte a bit is enough.
    const size_t used = bytes.find_last_not_of('\0') + 1;
    bytes.resize(std::min(bytes.size(), used + kReservedBytes));
  }
  image_.now = clock_.WallNow();
  store_ = nullptr;
  for (ShownKeys& keys : image_.after) {
    std::erase_if(keys, [this](const auto& each) {
      return each.second.expiry <= image_.now;
    });
  }
  return std::move(image_);
}

}  // namespace stave
