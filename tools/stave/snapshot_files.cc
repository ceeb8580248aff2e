#include "tools/stave/snapshot_files.h"

#include <sys/stat.h>

#include <cerrno>
#include <ios>
#include <optional>
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
absl::StatusOr<uint64_t> SizeOfRegular(const std::string& path) {
  struct stat about;
  if (stat(path.c_str(), &about) != 0) return SystemError("open", path, errno);
  if (S_ISREG(about.st_mode)) return static_cast<uint64_t>(about.st_size);
  return absl::FailedPreconditionError(
      absl::StrFormat("%s is not a regular file", path));
}

// Shows on a terminal how far a save is.
class SaveProgress {
 public:
  explicit SaveProgress(bool is_shown) {
    if (is_shown) progress_.emplace("saved", /*total_bytes=*/0);
  }

  // A format may need several walks: records count in the first that writes.
  void BeginWalk() {
    counts_ = has_written_ && !has_counted_;
    has_counted_ |= counts_;
  }
  void AddRecord() {
    if (counts_ && progress_.has_value()) progress_->Add(0);
  }
  void AddBytes(uint64_t bytes) {
    has_written_ = true;
    if (progress_.has_value()) progress_->AddBytes(bytes);
  }

 private:
  std::optional<Progress> progress_;
  bool has_written_ = false;
  bool has_counted_ = false;
  bool counts_ = false;  // the present walk
};

}  // namespace

absl::Status SaveSnapshot(Store& store, const std::string& store_directory,
                          SnapshotFormat format, const std::string& path,
                          bool show_progress) {
  RETURN_IF_ERROR(CheckOutsideOf(store_directory, path));
  // Of two files only one would be removed if a signal ended the process.
  static Mutex* const one_at_a_time = new Mutex;
  MutexLock lock(one_at_a_time);
  absl::StatusOr<std::unique_ptr<Iterator>> iterator = store.NewIterator();
  if (!iterator.ok()) return iterator.status();
  Iterator& each = **iterator;
  SaveProgress progress(show_progress);
  const auto walk = [&](SnapshotVisitor visit) {
    progress.BeginWalk();
    for (each.SeekToFirst(); each.Valid(); each.Next()) {
      RETURN_IF_ERROR(visit({each.key(), each.value(), each.expiry()}));
      progress.AddRecord();
    }
    return each.status();
  };
  absl::StatusOr<FileReplacement> file = FileReplacement::Create(path);
  if (!file.ok()) return file.status();
  Output out(file->descriptor(), path);
  RETURN_IF_ERROR(
      WriteSnapshot(format, absl::Now(), walk, [&](std::string_view bytes) {
        progress.AddBytes(bytes.size());
        return out.Write(bytes);
      }));
  RETURN_IF_ERROR(out.Flush());
  return file->Commit();
}

// Both readers of snapshots read all by this.
std::streamsize SnapshotFile::ShownFile::xsgetn(char* to,
                                                std::streamsize size) {
  const std::streamsize read = std::filebuf::xsgetn(to, size);
  if (progress_.has_value() && read > 0) {
    progress_->AddBytes(static_cast<uint64_t>(read));
  }
  return read;
}

absl::StatusOr<bool> HasKeys(Store& store) {
  absl::StatusOr<std::unique_ptr<Iterator>> iterator = store.NewIterator();
  if (!iterator.ok()) return iterator.status();
  (*iterator)->SeekToFirst();
  RETURN_IF_ERROR((*iterator)->status());
  return (*iterator)->Valid();
}

absl::StatusOr<std::unique_ptr<SnapshotFile>> SnapshotFile::Open(
    const std::string& path, bool show_progress) {
  std::unique_ptr<SnapshotFile> snapshot(new SnapshotFile());
  snapshot->show_progress_ = show_progress;
  RETURN_IF_ERROR(snapshot->Read(path));
  return snapshot;
}

absl::Status SnapshotFile::Read(const std::string& path) {
  const absl::StatusOr<uint64_t> size = SizeOfRegular(path);
  if (!size.ok()) return size.status();
  size_ = *size;
  if (file_.open(path, std::ios::in | std::ios::binary) == nullptr) {
    return SystemError("open", path, errno);
  }
  if (show_progress_) file_.Show("checked", size_);
  absl::StatusOr<std::unique_ptr<SnapshotReader>> reader =
      SnapshotReader::Open(&input_, path);
  file_.Hide();
  if (!reader.ok()) return reader.status();
  reader_ = *std::move(reader);
  return absl::OkStatus();
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
  absl::Status status = LoadAll(&loader);
  if (status.ok() && mode == LoadMode::kReplace) status = DeleteOthers(store);
  if (status.ok()) return status;
  // All of it was read before, and was right; so this is the disk.
  return absl::Status(status.code(),
                      absl::StrFormat("%s; pairs loaded before that: %d",
                                      status.message(), loader.loaded()));
}

absl::Status SnapshotFile::LoadAll(Loader* loader) {
  if (show_progress_) file_.Show("loaded", size_);
  absl::Status status = reader_->Visit([&](const Record& record) {
    file_.AddRecord();
    return loader->Add(record);
  });
  if (status.ok()) status = loader->Flush();
  file_.Hide();
  return status;
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
