#ifndef STAVE_ENGINE_CORE_SNAPSHOT_TARGET_H_
#define STAVE_ENGINE_CORE_SNAPSHOT_TARGET_H_

#include <memory>
#include <string>
#include <string_view>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/format/snapshot_file.h"
#include "engine/fs/file_system.h"

namespace stave {

// The place of a snapshot file, outside of every store:
//
//  1. What an attempt before has left is removed.
//  2. The snapshot is written beside its place, to NAME.unfinished, and synced.
//  3. That file gets the name, in place of the snapshot of before.
//  4. The directory is synced.
//
// A crash at any place leaves the old file or the new one, and a file beside
// it that the next attempt removes. For one thread.
class SnapshotTarget {
 public:
  // InvalidArgument for what can't be a file's path, or has no room for the one
  // beside it, where a store lies, and where there is something else than a
  // file; else what opening the file's directory says.
  static absl::StatusOr<SnapshotTarget> Open(FileSystem* file_system,
                                             std::string_view path);

  // Before the store that is to be saved there is made in directory `store`:
  // InvalidArgument if Open says so, or will when that is done. All else that
  // is wrong may be right by then.
  static absl::Status CheckForStore(std::string_view store,
                                    FileSystem* file_system,
                                    std::string_view path);

  // OK, too, if nothing was left.
  absl::Status RemoveUnfinished();

  // `write` hands the file's bytes to the sink. When this returns OK, they and
  // their name are on the device. After an error the file is what it was; but
  // if that was the directory's sync, the new one.
  absl::Status Replace(absl::FunctionRef<absl::Status(ByteSink)> write);

 private:
  SnapshotTarget(std::unique_ptr<Directory> directory, std::string_view name);

  std::unique_ptr<Directory> directory_;
  std::string name_;
  std::string unfinished_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_SNAPSHOT_TARGET_H_
