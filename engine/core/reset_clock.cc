#include <algorithm>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/status_macros.h"
#include "engine/core/recovery.h"
#include "engine/format/file_names.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/manifest.h"
#include "stave/verify.h"

namespace stave {
namespace {

// The state with another floor. Sync marks hold the old one: so the segment
// that the log would go on in is sealed, for marks count in others alone.
ManifestState WithFloor(ManifestState state, int64_t floor_ms) {
  state.base.clock_floor_ms = floor_ms;
  if (state.clean_close.has_value() && state.clean_close->id != 0) {
    const SegmentSummary& summary = state.clean_close->summary;
    state.Find(state.clean_close->id)->sealed = summary;
    state.base.sealed_through =
        std::max(state.base.sealed_through, summary.greatest_sequence);
  }
  state.clean_close = CleanCloseChange();
  return state;
}

// They lack keys that had expired by the floor, and may not come back behind
// the new one.
absl::Status RemoveCheckpoints(Directory* directory) {
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  for (const std::string& name : names) {
    if (!ParseCheckpointFileName(name).has_value()) continue;
    RETURN_IF_ERROR(directory->Unlink(name));
  }
  return directory->Sync();
}

}  // namespace

absl::StatusOr<ClockReset> ResetClock(std::string_view directory,
                                      const Options& options) {
  if (directory.empty()) {
    return absl::InvalidArgumentError("the store's directory has no name");
  }
  FileSystem* const file_system =
      options.file_system != nullptr ? options.file_system : PosixFileSystem();
  Clock* const clock = options.clock != nullptr ? options.clock : SystemClock();
  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> opened,
                   file_system->OpenDirectory(directory));
  RETURN_IF_ERROR(Manifest::Load(opened.get()).status());
  ASSIGN_OR_RETURN(const std::unique_ptr<File> lock,
                   opened->Lock(kLockFileName, ThisProcess()));
  // What a crash left is put in order first, as by any open.
  Options open = options;
  open.read_only = false;
  ASSIGN_OR_RETURN(RecoveredStore store, Recover(opened.get(), open, clock));
  ManifestState state = store.manifest->state();
  ClockReset reset;
  const int64_t now_ms = absl::ToUnixMillis(clock->WallNow());
  reset.floor = absl::FromUnixMillis(state.base.clock_floor_ms);
  reset.now = absl::FromUnixMillis(now_ms);
  reset.reset = state.base.clock_floor_ms > now_ms;
  if (!reset.reset) return reset;
  store = RecoveredStore();
  RETURN_IF_ERROR(RemoveCheckpoints(opened.get()));
  LoadedManifest loaded;
  loaded.state = WithFloor(std::move(state), now_ms);
  RETURN_IF_ERROR(Manifest::Replace(opened.get(), std::move(loaded)).status());
  return reset;
}

}  // namespace stave
