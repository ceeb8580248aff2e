#include "tools/stave/user_paths.h"

#include <sys/stat.h>

#include <cerrno>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "absl/strings/str_format.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/system_error.h"

namespace stave::tool {
namespace {

using std::filesystem::path;

// An empty variable counts as none, as the XDG specification wants it.
std::optional<std::string> Variable(const char* name) {
  const char* value = std::getenv(name);
  if (value == nullptr || *value == '\0') return std::nullopt;
  return value;
}

// $`variable`, else ~/`fallback`. The specification has relative paths in
// these variables ignored.
std::optional<path> BaseDirectory(const char* variable, const char* fallback) {
  const std::optional<std::string> base = Variable(variable);
  if (base.has_value() && path(*base).is_absolute()) return *base;
  const std::optional<std::string> home = Variable("HOME");
  if (!home.has_value()) return std::nullopt;
  return path(*home) / fallback;
}

}  // namespace

std::string UserPath(std::string_view name) {
  const std::optional<std::string> base = Variable("BUILD_WORKING_DIRECTORY");
  if (!base.has_value() || path(name).is_absolute()) return std::string(name);
  return (path(*base) / name).string();
}

absl::StatusOr<StoreLocation> LocateStore(
    const std::optional<std::string>& flag) {
  if (flag.has_value()) {
    if (!flag->empty()) return StoreLocation{UserPath(*flag)};
    return absl::InvalidArgumentError("--store needs a directory's name");
  }
  if (const auto variable = Variable("STAVE_STORE"); variable.has_value()) {
    return StoreLocation{UserPath(*variable)};
  }
  const std::optional<path> base =
      BaseDirectory("XDG_DATA_HOME", ".local/share");
  if (!base.has_value()) {
    return absl::InvalidArgumentError(
        "no store is named; give --store DIR, or set STAVE_STORE or HOME");
  }
  return StoreLocation{(*base / "stave").string(), /*is_default=*/true};
}

absl::Status CheckOutsideOf(const std::string& directory,
                            const std::string& name) {
  std::error_code error;
  path target =
      std::filesystem::weakly_canonical(std::filesystem::absolute(name), error);
  if (!target.has_filename()) target = target.parent_path();
  while (target != target.parent_path()) {
    target = target.parent_path();
    if (!std::filesystem::equivalent(target, directory, error)) continue;
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s is in the store's own directory; write to another one", name));
  }
  return absl::OkStatus();
}

std::optional<std::string> HistoryPath() {
  const std::optional<path> base =
      BaseDirectory("XDG_STATE_HOME", ".local/state");
  if (!base.has_value()) return std::nullopt;
  return (*base / "stave" / "history").string();
}

absl::Status MakeParents(const std::string& name) {
  path made;
  for (const path& part : path(name).parent_path()) {
    made /= part;
    if (mkdir(made.c_str(), 0700) == 0 || errno == EEXIST) continue;
    // A directory that is there may also be on a read-only file system.
    std::error_code error;
    if (std::filesystem::is_directory(made, error)) continue;
    return SystemError("create", made.string(), errno);
  }
  return absl::OkStatus();
}

}  // namespace stave::tool
