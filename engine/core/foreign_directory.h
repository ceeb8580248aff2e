#ifndef STAVE_ENGINE_CORE_FOREIGN_DIRECTORY_H_
#define STAVE_ENGINE_CORE_FOREIGN_DIRECTORY_H_

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"

namespace stave {

// False if `directory` has a lock's file like ours and nothing that speaks for
// another program's store. If true, a look at it must come before its lock is
// taken, which makes and writes a file.
absl::StatusOr<bool> MayBeForeign(Directory* directory);

// For a directory that has no store: InvalidArgument, with the name of the
// file, if another program's is there.
absl::Status CheckNotForeign(Directory* directory);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_FOREIGN_DIRECTORY_H_
