#include "engine/log/reserve.h"

#include <utility>

#include "absl/status/statusor.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"

namespace stave {

absl::Status Reserve::Resize(uint64_t bytes) {
  MutexLock lock(&mutex_);
  if (unusable_) return absl::OkStatus();
  // An error here says nothing about the disk: there may be too few
  // descriptors. The next time will show.
  if (file_ == nullptr && !Open(/*create=*/bytes > 0).ok()) {
    return absl::OkStatus();
  }
  if (bytes > bytes_) return Grow(bytes);
  if (bytes < bytes_) Cut(bytes);
  lacking_.store(false, std::memory_order_relaxed);
  return absl::OkStatus();
}

bool Reserve::GiveUp() {
  MutexLock lock(&mutex_);
  if (unusable_) return false;
  if (file_ == nullptr && !Open(/*create=*/false).ok()) return false;
  if (file_->Size().value_or(0) == 0 || !Cut(0)) return false;
  lacking_.store(true, std::memory_order_relaxed);
  return true;
}

bool Reserve::IsGivenUp() {
  MutexLock lock(&mutex_);
  if (unusable_) return false;
  if (file_ == nullptr && !Open(/*create=*/false).ok()) return false;
  return bytes_ == 0;
}

absl::Status Reserve::Open(bool create) {
  absl::StatusOr<std::unique_ptr<File>> file =
      directory_->OpenFile(kReserveFileName, /*writable=*/true);
  if (absl::IsNotFound(file.status()) && create) {
    file = directory_->CreateFile(kReserveFileName);
  }
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(const uint64_t length, (*file)->Size());
  file_ = *std::move(file);
  // A store that was copied may have a file of nothing but holes.
  if (length > 0 && file_->Allocate(0, length).ok()) bytes_ = length;
  return absl::OkStatus();
}

absl::Status Reserve::Grow(uint64_t bytes) {
  const absl::Status status = file_->Allocate(0, bytes);
  if (status.ok()) {
    bytes_ = bytes;
    lacking_.store(false, std::memory_order_relaxed);
    return absl::OkStatus();
  }
  // What a part of it has taken is wanted elsewhere.
  Cut(bytes_);
  if (!absl::IsResourceExhausted(status)) SetUnusable();
  if (absl::IsUnimplemented(status)) {
    directory_->Unlink(kReserveFileName).IgnoreError();
  }
  if (unusable_ || bytes_ > 0) return absl::OkStatus();
  lacking_.store(true, std::memory_order_relaxed);
  return status;
}

bool Reserve::Cut(uint64_t bytes) {
  if (!file_->Truncate(bytes).ok()) {
    SetUnusable();
    return false;
  }
  bytes_ = bytes;
  return true;
}

void Reserve::SetUnusable() {
  unusable_ = true;
  lacking_.store(false, std::memory_order_relaxed);
}

}  // namespace stave
