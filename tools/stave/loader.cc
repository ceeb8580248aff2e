#include "tools/stave/loader.h"

#include "absl/strings/str_format.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr uint64_t kDefaultBatchRecords = 1000;
constexpr uint64_t kDefaultBatchBytes = uint64_t{1} << 20;

// More than what a record takes beside its key and value.
constexpr uint64_t kRecordOverheadBytes = 64;

uint64_t BytesOf(const Record& record) {
  return record.key.size() + record.value.size() + kRecordOverheadBytes;
}

uint64_t BytesOf(const WriteBatch& batch) {
  return batch.byte_size() + batch.size() * kRecordOverheadBytes;
}

}  // namespace

absl::Status Loader::Add(const Record& record) {
  if (IsOwnBatch(record)) {
    RETURN_IF_ERROR(Flush());
    return PutAlone(record);
  }
  if (BytesOf(batch_) + BytesOf(record) > kMaxBatchBytes) {
    return absl::InvalidArgumentError(absl::StrFormat(
        "with it the batch has more than %d bytes; give a smaller --batch "
        "than %d",
        kMaxBatchBytes, options_.batch_records.value_or(kDefaultBatchRecords)));
  }
  batch_.PutUntil(record.key, record.value, record.expire_at);
  return IsFull() ? Flush() : absl::OkStatus();
}

absl::Status Loader::Flush() {
  if (batch_.size() == 0) return absl::OkStatus();
  WriteOptions options;
  options.sync = options_.sync;
  const uint64_t records = batch_.size();
  const absl::Status status = store_->Write(batch_, options);
  // What could not be written is not tried again.
  batch_.Clear();
  RETURN_IF_ERROR(status);
  return Acknowledge(records);
}

bool Loader::IsOwnBatch(const Record& record) const {
  if (options_.batch_records.has_value()) return *options_.batch_records == 1;
  return BytesOf(record) >= kDefaultBatchBytes;
}

bool Loader::IsFull() const {
  if (options_.batch_records.has_value()) {
    return batch_.size() >= *options_.batch_records;
  }
  return batch_.size() >= kDefaultBatchRecords ||
         BytesOf(batch_) >= kDefaultBatchBytes;
}

absl::Status Loader::PutAlone(const Record& record) {
  WriteOptions options;
  options.sync = options_.sync;
  options.expire_at = record.expire_at;
  RETURN_IF_ERROR(store_->Put(record.key, record.value, options));
  return Acknowledge(1);
}

absl::Status Loader::Acknowledge(uint64_t records) {
  loaded_ += records;
  Output* const out = options_.acknowledgements;
  if (out == nullptr) return absl::OkStatus();
  RETURN_IF_ERROR(out->Write(absl::StrFormat("%d\n", loaded_)));
  return out->Flush();
}

}  // namespace stave::tool
