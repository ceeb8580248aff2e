#include "engine/core/snapshot_target.h"

#include <climits>
#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <system_error>
#include <utility>
#include <vector>

#include "absl/strings/escaping.h"
#include "absl/strings/str_cat.h"
#include "absl/strings/str_split.h"
#include "absl/strings/string_view.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

// So many are written by one call.
constexpr size_t kBufferBytes = size_t{256} << 10;
// So many wait for the device at most: whoever syncs another file meanwhile may
// have to wait for them, too, and so may Close.
constexpr uint64_t kUnsyncedBytes = uint64_t{32} << 20;

constexpr char kUnfinished[] = ".unfinished";
constexpr size_t kMaxNameBytes = NAME_MAX - (sizeof(kUnfinished) - 1);

absl::Status BadPath(std::string_view path, std::string_view why) {
  return absl::InvalidArgumentError(
      absl::StrCat("a snapshot can't be saved to '",
                   absl::CHexEscape(ToAbsl(path)), "': ", ToAbsl(why)));
}

absl::Status StoreIsThere(std::string_view path) {
  return BadPath(path, "its directory is a store's");
}

// What a path says.
struct Place {
  std::string_view directory;
  std::string_view name;
};

Place PlaceOf(std::string_view path) {
  const size_t slash = path.rfind('/');
  if (slash == path.npos) return {".", path};
  return {path.substr(0, slash == 0 ? 1 : slash), path.substr(slash + 1)};
}

absl::Status CheckName(std::string_view path) {
  const std::string_view name = PlaceOf(path).name;
  if (name.empty() || name == "." || name == ".." ||
      path.find('\0') != path.npos) {
    return BadPath(path, "that is not the name of a file");
  }
  if (name.size() > kMaxNameBytes) {
    return BadPath(path, absl::StrCat("the name has ", name.size(),
                                      " bytes, of at most ", kMaxNameBytes));
  }
  return absl::OkStatus();
}

// The names on the way from the root to `path`. Where these are the same the
// place is; through links there may be other ways to it.
std::vector<std::string> WayTo(std::string_view path) {
  std::error_code error;
  const std::filesystem::path absolute = std::filesystem::absolute(path, error);
  return absl::StrSplit(
      error ? std::string(path) : absolute.string(), '/',
      [](absl::string_view name) { return !name.empty() && name != "."; });
}

// Writes a file from its beginning on.
class FileSink {
 public:
  explicit FileSink(File* file) : file_(*file) {}

  absl::Status Add(std::string_view bytes) {
    if (buffer_.size() + bytes.size() < kBufferBytes) {
      buffer_.append(bytes);
      return absl::OkStatus();
    }
    const std::string_view parts[] = {buffer_, bytes};
    RETURN_IF_ERROR(file_.Write(offset_, absl::MakeConstSpan(parts)));
    offset_ += buffer_.size() + bytes.size();
    buffer_.clear();
    if (offset_ - synced_ < kUnsyncedBytes) return absl::OkStatus();
    synced_ = offset_;
    return file_.SyncData();
  }

  absl::Status Flush() { return file_.Write(offset_, buffer_); }

 private:
  File& file_;
  uint64_t offset_ = 0;
  uint64_t synced_ = 0;
  std::string buffer_;
};

}  // namespace

SnapshotTarget::SnapshotTarget(std::unique_ptr<Directory> directory,
                               std::string_view name)
    : directory_(std::move(directory)),
      name_(name),
      unfinished_(name_ + kUnfinished) {}

absl::StatusOr<SnapshotTarget> SnapshotTarget::Open(FileSystem* file_system,
                                                    std::string_view path) {
  RETURN_IF_ERROR(CheckName(path));
  const Place place = PlaceOf(path);
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> directory,
                   file_system->OpenDirectory(place.directory));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  for (const std::string& each : names) {
    if (ParseManifestFileName(each).has_value()) return StoreIsThere(path);
  }
  // A device or a link is not for us to replace.
  const absl::Status there =
      directory->OpenFile(place.name, /*writable=*/false).status();
  if (absl::IsInvalidArgument(there)) return there;
  return SnapshotTarget(std::move(directory), place.name);
}

absl::Status SnapshotTarget::CheckForStore(std::string_view store,
                                           FileSystem* file_system,
                                           std::string_view path) {
  const absl::Status now = Open(file_system, path).status();
  if (absl::IsInvalidArgument(now)) return now;
  return WayTo(PlaceOf(path).directory) == WayTo(store) ? StoreIsThere(path)
                                                        : absl::OkStatus();
}

absl::Status SnapshotTarget::RemoveUnfinished() {
  const absl::Status status = directory_->Unlink(unfinished_);
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

absl::Status SnapshotTarget::Replace(
    absl::FunctionRef<absl::Status(ByteSink)> write) {
  RETURN_IF_ERROR(RemoveUnfinished());
  const auto make_file = [&]() -> absl::Status {
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     directory_->CreateFile(unfinished_));
    FileSink sink(file.get());
    RETURN_IF_ERROR(
        write([&sink](std::string_view bytes) { return sink.Add(bytes); }));
    RETURN_IF_ERROR(sink.Flush());
    RETURN_IF_ERROR(DURABILITY_SITE(kSnapshotFileSync, file->SyncData()));
    return directory_->Rename(unfinished_, name_);
  };
  const absl::Status made = make_file();
  if (!made.ok()) {
    RemoveUnfinished().IgnoreError();
    return made;
  }
  return DURABILITY_SITE(kSnapshotNameSync, directory_->Sync());
}

}  // namespace stave
