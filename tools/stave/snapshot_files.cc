#include "tools/stave/snapshot_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <ios>
#include <string_view>

#include "absl/strings/str_format.h"
#include "absl/time/clock.h"
#include "engine/base/mutex.h"
#include "engine/format/snapshot_file.h"
#include "tools/stave/file_replacement.h"
#include "tools/stave/loader.h"
#include "tools/stave/output.h"
#include "tools/stave/selection.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/system_error.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr uint64_t kDeletesInABatch = 1000;

// A pipe can't be read twice.
absl::Status CheckRegular(const std::string& path) {
  struct stat about;
  if (stat(path.c_str(), &about) != 0) return SystemError("open", path, errno);
  if (S_ISREG(about.st_mode)) return absl::OkStatus();
  return absl::FailedPreconditionError(
      absl::StrFormat("%s is not a regular file", path));
}

}  // namespace

absl::Status SaveSnapshot(Store& store, const std::string& store_directory,
                          SnapshotFormat format, const std::string& path) {
  RETURN_IF_ERROR(CheckOutsideOf(store_directory, path));
  // Of two files only one would be removed if a signal ended the process.
  static Mutex* const one_at_a_time = new Mutex;
  MutexLock lock(one_at_a_time);
  absl::StatusOr<std::unique_ptr<Iterator>> iterator = store.NewIterator();
  if (!iterator.ok()) return iterator.status();
  Iterator& each = **iterator;
  const auto walk = [&each](SnapshotVisitor visit) {
    for (each.SeekToFirst(); each.Valid(); each.Next()) {
      RETURN_IF_ERROR(visit({each.key(), each.value(), each.expiry()}));
    }
    return each.status();
  };
  absl::StatusOr<FileReplacement> file = FileReplacement::Create(path);
  if (!file.ok()) return file.status();
  Output out(file->descriptor(), path);
  RETURN_IF_ERROR(WriteSnapshot(
      format, absl::Now(), walk,
      [&out](std::string_view bytes) { return out.Write(bytes); }));
  RETURN_IF_ERROR(out.Flush());
  return file->Commit();
}

absl::StatusOr<bool> HasKeys(Store& store) {
  absl::StatusOr<std::unique_ptr<Iterator>> iterator = store.NewIterator();
  if (!iterator.ok()) return iterator.status();
  (*iterator)->SeekToFirst();
  RETURN_IF_ERROR((*iterator)->status());
  return (*iterator)->Valid();
}

absl::StatusOr<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(
    const std::string& path) {
  RETURN_IF_ERROR(CheckRegular(path));
  std::unique_ptr<SnapshotFile> snapshot(new SnapshotFile());
  snapshot->file_.open(path, std::ios::binary);
  if (!snapshot->file_.is_open()) return SystemError("open", path, errno);
  absl::StatusOr<std::unique_ptr<SnapshotReader>> reader =
      SnapshotReader::Open(&snapshot->file_, path);
  if (!reader.ok()) return reader.status();
  snapshot->reader_ = *std::move(reader);
  return snapshot;
}

absl::Status SnapshotFile::LoadInto(Store& store, LoadMode mode) {
  if (mode == LoadMode::kEmptyOnly) {
    const absl::StatusOr<bool> has_keys = HasKeys(store);
    if (!has_keys.ok()) return has_keys.status();
    if (*has_keys) {
      return absl::InvalidArgumentError(
          "the store has keys; --add keeps those that the snapshot has not, "
          "--replace deletes them");
    }
  }
  Loader loader(&store, {});
  absl::Status status = reader_->Visit(
      [&loader](const Record& record) { return loader.Add(record); });
  if (status.ok()) status = loader.Flush();
  if (status.ok() && mode == LoadMode::kReplace) status = DeleteOthers(store);
  if (status.ok()) return status;
  // All of it was read before, and was right; so this is the disk.
  return absl::Status(status.code(),
                      absl::StrFormat("%s; pairs loaded before that: %d",
                                      status.message(), loader.loaded()));
}

absl::Status SnapshotFile::DeleteOthers(Store& store) {
  WriteBatch deletes;
  RETURN_IF_ERROR(VisitKeys(store, Selection(), [&](const Record& record) {
    if (reader_->Contains(record.key)) return absl::OkStatus();
    deletes.Delete(record.key);
    if (deletes.size() < kDeletesInABatch) return absl::OkStatus();
    const absl::Status status = store.Write(deletes);
    deletes.Clear();
    return status;
  }));
  return store.Write(deletes);
}

}  // namespace stave::tool
