#include "engine/core/open_store.h"

#include <algorithm>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/clock.h"
#include "engine/base/status_macros.h"
#include "engine/core/foreign_directory.h"
#include "engine/core/options_check.h"
#include "engine/core/salvage.h"
#include "engine/core/snapshot_target.h"
#include "engine/format/file_names.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/reserve.h"

namespace stave {
namespace {

// A writer may replace files while a read-only open looks at them.
constexpr int kReadOnlyTries = 100;

absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
    FileSystem* file_system, std::string_view path, const Options& options) {
  absl::StatusOr<std::unique_ptr<Directory>> directory =
      file_system->OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  if (!options.create_if_missing || options.read_only) {
    return absl::NotFoundError(
        absl::StrCat("there is no store in ", ToAbsl(path)));
  }
  const absl::Status made = file_system->CreateDirectory(path);
  // Another process may make it at the same moment.
  if (!absl::IsAlreadyExists(made)) RETURN_IF_ERROR(made);
  directory = file_system->OpenDirectory(path);
  if (!absl::IsNotFound(directory.status())) return directory;
  return absl::InvalidArgumentError(
      absl::StrCat(ToAbsl(path), " is a symbolic link that leads nowhere"));
}

// Before anything is made or recovered: the directory stays as it is if this
// is an error.
absl::Status CheckExists(Directory* directory, const Options& options) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  const bool exists =
      std::any_of(names.begin(), names.end(), [](const std::string& name) {
        return ParseManifestFileName(name).has_value() ||
               ParseSegmentFileName(name).has_value();
      });
  if (exists && options.error_if_exists) {
    return absl::FailedPreconditionError(
        absl::StrCat("there is a store in ", directory->path(), " already"));
  }
  if (!exists && !options.create_if_missing) {
    return absl::NotFoundError(
        absl::StrCat("there is no store in ", directory->path()));
  }
  return absl::OkStatus();
}

// What tells whether a writer has changed the list of segments.
std::pair<uint64_t, uint64_t> ManifestEnd(Directory* directory) {
  const absl::StatusOr<LoadedManifest> manifest = Manifest::Load(directory);
  if (!manifest.ok()) return {0, 0};
  return {manifest->number, manifest->length};
}

// Files that a writer replaces meanwhile look as if they were missing or
// damaged. They are if the manifest stayed the same.
absl::StatusOr<RecoveredStore> RecoverReadOnly(Directory* directory,
                                               const Options& options,
                                               Clock* clock) {
  for (int tries = 1;; ++tries) {
    const auto before = ManifestEnd(directory);
    absl::StatusOr<RecoveredStore> recovered =
        Recover(directory, options, clock);
    if (recovered.ok() || tries == kReadOnlyTries ||
        ManifestEnd(directory) == before) {
      return recovered;
    }
  }
}

// A directory that will be refused gets no file, and no byte into one: where
// that may be, it is looked at first, as by those who only read.
absl::Status LookBeforeLocking(Directory* directory, Options options,
                               Clock* clock) {
  ASSIGN_OR_RETURN(const bool may_be_foreign, MayBeForeign(directory));
  if (!may_be_foreign) return absl::OkStatus();
  options.read_only = true;
  const absl::Status status =
      RecoverReadOnly(directory, options, clock).status();
  return absl::IsNotFound(status) ? CheckNotForeign(directory) : status;
}

// A directory may be left from a process that was killed before its name was
// durable. Who may not read the parent has not made it, nor seen it made.
absl::Status MakeNameDurable(FileSystem* file_system, std::string_view path) {
  const absl::Status made = file_system->CreateDirectory(path);
  const bool is_there =
      absl::IsAlreadyExists(made) || absl::IsPermissionDenied(made);
  return is_there ? absl::OkStatus() : made;
}

absl::StatusOr<RecoveredStore> RecoverOrCreate(FileSystem* file_system,
                                               Directory* directory,
                                               const Options& options,
                                               Clock* clock) {
  absl::StatusOr<RecoveredStore> recovered = Recover(directory, options, clock);
  if (absl::IsNotFound(recovered.status()) && options.create_if_missing) {
    RETURN_IF_ERROR(MakeNameDurable(file_system, directory->path()));
    return CreateStore(directory, options, clock);
  }
  return recovered;
}

// Open stops at the first damage, and changes nothing.
absl::Status WithAdvice(const absl::Status& status) {
  if (!absl::IsDataLoss(status)) return status;
  return absl::DataLossError(
      absl::StrCat(status.message(),
                   "; `stave fsck` lists all damage, and with --repair copies "
                   "what is sound into a new store"));
}

}  // namespace

FileSystem* FileSystemOf(const Options& options) {
  return options.file_system != nullptr ? options.file_system
                                        : PosixFileSystem();
}

absl::StatusOr<OpenedStore> OpenStore(std::string_view path,
                                      const Options& options) {
  RETURN_IF_ERROR(CheckPath(path));
  RETURN_IF_ERROR(CheckOptions(options));
  FileSystem* const file_system = FileSystemOf(options);
  if (!options.snapshot_file.empty() && !options.read_only) {
    RETURN_IF_ERROR(SnapshotTarget::CheckForStore(path, file_system,
                                                  options.snapshot_file));
  }
  Clock* const clock = options.clock != nullptr ? options.clock : SystemClock();
  OpenedStore opened;
  ASSIGN_OR_RETURN(opened.directory, OpenDirectory(file_system, path, options));
  Directory* const directory = opened.directory.get();
  absl::StatusOr<RecoveredStore> recovered = absl::UnknownError("");
  if (options.read_only) {
    recovered = RecoverReadOnly(directory, options, clock);
    if (options.open_damaged && absl::IsDataLoss(recovered.status())) {
      recovered = RecoverDamaged(directory, options, clock);
    }
  } else {
    RETURN_IF_ERROR(CheckExists(directory, options));
    RETURN_IF_ERROR(WithAdvice(LookBeforeLocking(directory, options, clock)));
    ASSIGN_OR_RETURN(opened.lock,
                     directory->Lock(kLockFileName, ThisProcess()));
    recovered = RecoverOrCreate(file_system, directory, options, clock);
    // I7: a store can be opened on a full disk, for who wants to delete.
    if (absl::IsResourceExhausted(recovered.status()) &&
        Reserve(directory).GiveUp()) {
      recovered = RecoverOrCreate(file_system, directory, options, clock);
    }
  }
  if (!recovered.ok()) return WithAdvice(recovered.status());
  opened.recovered = *std::move(recovered);
  return opened;
}

}  // namespace stave
