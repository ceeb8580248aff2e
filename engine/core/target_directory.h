#ifndef STAVE_ENGINE_CORE_TARGET_DIRECTORY_H_
#define STAVE_ENGINE_CORE_TARGET_DIRECTORY_H_

#include <memory>
#include <string_view>

#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"

namespace stave {

// Opens the directory that a copy of a store is to go to; makes it, with a
// durable name, if there is none. FailedPrecondition if that can't be done
// because its parent is missing.
absl::StatusOr<std::unique_ptr<Directory>> OpenTargetDirectory(
    FileSystem* file_system, std::string_view path);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_TARGET_DIRECTORY_H_
