#ifndef STAVE_ENGINE_CORE_BACKUP_DIRECTORY_H_
#define STAVE_ENGINE_CORE_BACKUP_DIRECTORY_H_

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/format/dictionary.h"
#include "engine/format/manifest_edit.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"

namespace stave {

// The directory of a backup, which is a store that nobody writes to, and how
// it goes from one instant of its source to a later one:
//
//  1. A manifest that lists the segments of before, and names those to come as
//     removed ones. So their files, whole or not, mean nothing to whoever
//     opens the store, and are known for what they are.
//  2. The files, and their names, durable. Of dictionaries these alone come to
//     be known by the next manifest: one that no record needs means nothing.
//  3. A manifest that lists the segments of now. Files that it does not list
//     are unlinked.
//
// A crash at any place leaves the backup of before, or the new one, and files
// that the next attempt removes. Before the first one is whole, the manifest
// says so, and the store does not open.
//
// Thread-compatible. Holds the lock of the directory.
class BackupDirectory {
 public:
  // Makes the directory if need be. FailedPrecondition if there is something
  // else in it than a backup of the store whose base is `source`, or if that
  // was written to; Unavailable if somebody else has it open. It stays as it
  // is then.
  static absl::StatusOr<std::unique_ptr<BackupDirectory>> Open(
      FileSystem* file_system, std::string_view path, const BaseChange& source);
  // Removes what was begun, unless Finish has come as far as the manifest.
  ~BackupDirectory();

  Directory* directory() const { return directory_.get(); }
  // As it is before Begin. Without segments, and not finished, if it is new.
  const ManifestState& before() const { return before_; }

  // Files of these segments are going to be made, or linked.
  absl::Status Begin(const std::vector<SegmentId>& to_come);
  // Makes the file of a dictionary that the next manifest is to list, unless it
  // is there. FailedPrecondition if there is another one of its id: the store
  // has gone another way.
  absl::Status AddDictionary(const Dictionary& dictionary);
  // Lists these, whose files are durable once the directory is synced. They
  // are in `now`, together with the base; all else is set here.
  absl::Status Finish(ManifestState now);

 private:
  BackupDirectory(std::unique_ptr<Directory> directory,
                  std::unique_ptr<File> lock, ManifestState before)
      : directory_(std::move(directory)),
        lock_(std::move(lock)),
        before_(std::move(before)) {}

  // Of removed segments, those that have a file; the others' absence is
  // durable.
  absl::StatusOr<std::vector<SegmentId>> StillThere(
      const std::vector<SegmentId>& ids);
  absl::Status Unlink(const std::vector<SegmentId>& ids);

  const std::unique_ptr<Directory> directory_;
  const std::unique_ptr<File> lock_;
  const ManifestState before_;
  bool began_ = false;
  std::vector<SegmentId> to_come_;
  std::vector<DictionaryChange> dictionaries_;  // that there will be
  std::vector<std::string> made_;               // files of those that are new
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_BACKUP_DIRECTORY_H_
