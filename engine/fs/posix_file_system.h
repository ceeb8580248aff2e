#ifndef STAVE_ENGINE_FS_POSIX_FILE_SYSTEM_H_
#define STAVE_ENGINE_FS_POSIX_FILE_SYSTEM_H_

#include <string>
#include <string_view>

#include "engine/fs/file_system.h"

namespace stave {

// The operating system's files; never destroyed.
FileSystem* PosixFileSystem();

// This process, for the contents of a lock file: "pid 1234\n".
std::string ThisProcess();
inline constexpr std::string_view kProcessPrefix = "pid ";

}  // namespace stave

#endif  // STAVE_ENGINE_FS_POSIX_FILE_SYSTEM_H_
