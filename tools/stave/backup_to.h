#ifndef STAVE_TOOLS_STAVE_BACKUP_TO_H_
#define STAVE_TOOLS_STAVE_BACKUP_TO_H_

#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "stave/store.h"
#include "tools/stave/session.h"

namespace stave::tool {

// Makes the directory that the user calls `to` a backup of `store`, and prints
// what was done, with a verb such as "Restored".
absl::Status BackUpTo(const std::string& to, std::string_view done,
                      Store& store, const std::string& store_directory,
                      Session& session);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_BACKUP_TO_H_
