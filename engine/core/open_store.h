#ifndef STAVE_ENGINE_CORE_OPEN_STORE_H_
#define STAVE_ENGINE_CORE_OPEN_STORE_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/core/recovery.h"
#include "engine/fs/file_system.h"
#include "stave/options.h"

namespace stave {

// A store that has been found or made, and recovered.
struct OpenedStore {
  std::unique_ptr<Directory> directory;
  std::unique_ptr<File> lock;  // null in a read-only store
  RecoveredStore recovered;
};

// Checks what it is given, finds or makes the directory, locks it unless the
// store is only read, and recovers what is there. Fails with what Store::Open
// says, and leaves a directory that it refuses as it was.
absl::StatusOr<OpenedStore> OpenStore(std::string_view path,
                                      const Options& options);

// The options' file system, or the operating system's where they name none.
FileSystem* FileSystemOf(const Options& options);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_OPEN_STORE_H_
