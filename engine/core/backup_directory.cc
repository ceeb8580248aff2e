#include "engine/core/backup_directory.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/durability_site.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"
#include "engine/core/dictionary_file.h"
#include "engine/core/recovery.h"
#include "engine/core/target_directory.h"
#include "engine/format/file_names.h"
#include "engine/fs/posix_file_system.h"

namespace stave {
namespace {

bool Contains(const std::vector<SegmentId>& ids, SegmentId id) {
  return std::find(ids.begin(), ids.end(), id) != ids.end();
}

absl::Status CheckUnused(Directory* directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  for (const std::string& name : names) {
    // What an attempt that was cut short may have left.
    if (name == kLockFileName || ParseManifestFileName(name) ||
        ParseDictionaryFileName(name)) {
      continue;
    }
    return absl::FailedPreconditionError(
        absl::StrCat("there is something in ", directory->path(),
                     " that is no backup: ", name));
  }
  return absl::OkStatus();
}

absl::Status UnlinkManifests(Directory* directory) {
  ASSIGN_OR_RETURN(const std::vector<uint64_t> numbers,
                   Manifest::ListNumbers(directory));
  for (const uint64_t number : numbers) {
    RETURN_IF_ERROR(directory->Unlink(ManifestFileName(number)));
  }
  return absl::OkStatus();
}

// The backup that is in the directory, or a new one.
absl::StatusOr<ManifestState> LoadBackup(Directory* directory,
                                         const BaseChange& source) {
  absl::StatusOr<LoadedManifest> loaded = Manifest::Load(directory);
  if (absl::IsNotFound(loaded.status())) {
    RETURN_IF_ERROR(CheckUnused(directory));
    ManifestState state = NewManifestState();
    // Of which hint files depend.
    state.base.hash_secret = source.hash_secret;
    state.backup = BackupChange{false, source.store_id};
    return state;
  }
  RETURN_IF_ERROR(loaded.status());
  const std::optional<BackupChange>& backup = loaded->state.backup;
  const auto& segments = loaded->state.segments;
  const bool all_sealed =
      std::all_of(segments.begin(), segments.end(),
                  [](const auto& each) { return each.sealed.has_value(); });
  if (backup.has_value() && backup->store_id == source.store_id && all_sealed) {
    return std::move(loaded->state);
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the store in ", directory->path(),
      backup.has_value() ? " is a backup of another one"
                         : " is no backup, or has been written to since"));
}

}  // namespace

absl::StatusOr<std::unique_ptr<BackupDirectory>> BackupDirectory::Open(
    FileSystem* file_system, std::string_view path, const BaseChange& source) {
  ASSIGN_OR_RETURN(std::unique_ptr<Directory> directory,
                   OpenTargetDirectory(file_system, path));
  // What is refused gets no lock's file, either.
  RETURN_IF_ERROR(LoadBackup(directory.get(), source).status());
  ASSIGN_OR_RETURN(std::unique_ptr<File> lock,
                   directory->Lock(kLockFileName, ThisProcess()));
  ASSIGN_OR_RETURN(ManifestState before, LoadBackup(directory.get(), source));
  // Else a second unfinished one would make the first look like a lost store.
  if (absl::IsNotFound(Manifest::Load(directory.get()).status())) {
    RETURN_IF_ERROR(UnlinkManifests(directory.get()));
  }
  return std::unique_ptr<BackupDirectory>(new BackupDirectory(
      std::move(directory), std::move(lock), std::move(before)));
}

// If any of this fails, the manifest still says what these files are.
BackupDirectory::~BackupDirectory() {
  for (const std::string& name : made_) directory_->Unlink(name).IgnoreError();
  if (!began_) return;
  const absl::Status status = Unlink(to_come_);
  if (before_.backup->finished || !status.ok() || !directory_->Sync().ok()) {
    return;
  }
  // Nothing was there before.
  UnlinkManifests(directory_.get()).IgnoreError();
}

absl::Status BackupDirectory::Begin(const std::vector<SegmentId>& to_come) {
  ManifestState state = before_;
  ASSIGN_OR_RETURN(state.removed, StillThere(before_.removed));
  for (const SegmentId id : to_come) {
    if (!Contains(state.removed, id)) state.removed.push_back(id);
  }
  state.clean_close = CleanCloseChange();
  if (!to_come.empty()) {
    // I3: else these would be segments that no edit has named.
    RETURN_IF_ERROR(DURABILITY_SITE(
        kBackupAnnounced, Manifest::Publish(directory_.get(), state).status()));
    began_ = true;
    to_come_ = to_come;
  }
  // From an attempt that was cut short.
  return Unlink(state.removed);
}

absl::Status BackupDirectory::AddDictionary(const Dictionary& dictionary) {
  const DictionaryChange change{dictionary.id(), dictionary.checksum()};
  dictionaries_.push_back(change);
  const DictionaryChange* const before = before_.FindDictionary(change.id);
  if (before == nullptr) {
    RETURN_IF_ERROR(WriteDictionary(directory_.get(), dictionary));
    made_.push_back(DictionaryFileName(change.id));
    return absl::OkStatus();
  }
  if (*before == change) {
    return ReadListedDictionary(directory_.get(), *before).status();
  }
  return absl::FailedPreconditionError(absl::StrCat(
      "the store has gone another way since than the one that ",
      directory_->path(), " is a backup of: ", DictionaryFileName(change.id),
      " is another one there"));
}

absl::Status BackupDirectory::Finish(ManifestState now) {
  // Whoever has opened the backup of before may have left a keydir checkpoint
  // of it: that is another store's from now on.
  now.base.store_id = RandomBits() | 1;
  std::vector<SegmentId> gone;
  for (const ListedSegment& listed : before_.segments) {
    if (now.Find(listed.header.id) == nullptr) gone.push_back(listed.header.id);
  }
  // Nobody has read a feed of this one; and what is copied here out of segments
  // of the log is as if merged.
  now.incarnations.clear();
  now.merged_through = now.base.sealed_through;
  now.removed = gone;
  now.dictionaries = dictionaries_;
  now.clean_close = CleanCloseChange();
  now.backup = BackupChange{true, before_.backup->store_id};
  // I5: names, also of what was unlinked, before the manifest that needs them.
  RETURN_IF_ERROR(DURABILITY_SITE(kBackupNameSync, directory_->Sync()));
  // Should this fail, nobody knows which of the two manifests will be found.
  began_ = false;
  made_.clear();
  RETURN_IF_ERROR(Manifest::Publish(directory_.get(), now).status());
  // The manifest remembers what stays behind, so errors are no harm.
  Unlink(gone).IgnoreError();
  return absl::OkStatus();
}

absl::StatusOr<std::vector<SegmentId>> BackupDirectory::StillThere(
    const std::vector<SegmentId>& ids) {
  std::vector<SegmentId> still;
  if (ids.empty()) return still;
  // What was unlinked must not come back once it is forgotten.
  RETURN_IF_ERROR(DURABILITY_SITE(kBackupNameSync, directory_->Sync()));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory_->List());
  for (const std::string& name : names) {
    const auto id = ParseSegmentFileName(name);
    if (id.has_value() && Contains(ids, *id)) still.push_back(*id);
  }
  return still;
}

absl::Status BackupDirectory::Unlink(const std::vector<SegmentId>& ids) {
  for (const SegmentId id : ids) {
    for (const std::string& name : {HintFileName(id), SegmentFileName(id)}) {
      const absl::Status status = directory_->Unlink(name);
      if (!status.ok() && !absl::IsNotFound(status)) return status;
    }
  }
  return absl::OkStatus();
}

}  // namespace stave
