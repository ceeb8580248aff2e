#include "tools/stave/backup_to.h"

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "stave/backup.h"
#include "tools/stave/human_units.h"
#include "tools/stave/progress.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

// Shows on a terminal how far it is.
absl::Status BackUp(Store& store, const std::string& path,
                    std::string_view done) {
  Progress progress(absl::AsciiStrToLower(std::string(done)),
                    /*total_bytes=*/0);
  BackupOptions options;
  options.progress = [&progress](const BackupProgress& now) {
    progress.Reach(now.bytes, now.total_bytes);
  };
  return store.Backup(path, options);
}

}  // namespace

absl::Status BackUpTo(const std::string& to, std::string_view done,
                      Store& store, const std::string& store_directory,
                      Session& session) {
  if (to.empty()) return absl::InvalidArgumentError("TO is empty");
  const std::string path = UserPath(to);
  RETURN_IF_ERROR(CheckOutsideOf(store_directory, path));
  const absl::Status status = BackUp(store, path, done);
  // Such as a file in place of a directory: the arguments were well formed.
  if (absl::IsInvalidArgument(status)) {
    return absl::FailedPreconditionError(status.message());
  }
  RETURN_IF_ERROR(status);
  const Statistics statistics = store.GetStatistics();
  if (session.json()) {
    return session.out().Write(
        absl::StrFormat("{\"keys\":%d,\"live_bytes\":%d}\n", statistics.keys,
                        statistics.live_bytes));
  }
  return session.out().Write(absl::StrFormat(
      "%s %d keys, %s, to %s\n", done, statistics.keys,
      HumanBytes(static_cast<double>(statistics.live_bytes)), path));
}

}  // namespace stave::tool
