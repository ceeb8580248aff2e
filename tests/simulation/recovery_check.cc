#include "tests/simulation/recovery_check.h"

#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "engine/log/manifest.h"
#include "stave/store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/model/operation.h"
#include "tests/model/performer.h"

namespace stave {
namespace {

constexpr char kWritable[] = "writable";
constexpr int64_t kSetBackMs = 9 * 3'600'000;

absl::Status Wrong(const std::string& what) {
  return absl::InternalError(what);
}

absl::Status Because(const std::string& what, const absl::Status& status) {
  return status.ok() ? status
                     : Wrong(absl::StrCat(what, ": ", status.ToString()));
}

absl::StatusOr<std::unique_ptr<Store>> Open(SimulatedDisk* disk,
                                            Options options) {
  options.file_system = disk;
  return Store::Open(SimulatedDisk::kPath, options);
}

// Keys are found one by one as well.
absl::Status CheckGets(Store* store, const Contents& contents) {
  for (const auto& [key, held] : contents) {
    const absl::StatusOr<std::string> value = store->Get(key);
    RETURN_IF_ERROR(Because("get", value.status()));
    if (*value != held.value) return Wrong("get has another value");
  }
  return absl::OkStatus();
}

absl::Status CheckFiles(SimulatedDisk* disk) {
  ASSIGN_OR_RETURN(const std::unique_ptr<Directory> directory,
                   disk->OpenDirectory(SimulatedDisk::kPath));
  ASSIGN_OR_RETURN(LoadedManifest manifest, Manifest::Load(directory.get()));
  ASSIGN_OR_RETURN(const std::vector<std::string> names, directory->List());
  int checkpoints = 0;
  for (const std::string& name : names) {
    if (ParseCheckpointFileName(name).has_value() && ++checkpoints == 1) {
      continue;
    }
    const auto dictionary = ParseDictionaryFileName(name);
    if (dictionary.has_value() &&
        manifest.state.FindDictionary(*dictionary) != nullptr) {
      continue;
    }
    auto segment = ParseSegmentFileName(name);
    if (!segment.has_value()) segment = ParseHintFileName(name);
    const bool known =
        name == kLockFileName || name == kReserveFileName ||
        name == ManifestFileName(manifest.number) ||
        (segment.has_value() && manifest.state.Find(*segment) != nullptr);
    if (!known) return Wrong(absl::StrCat("a leaked file: ", name));
  }
  return absl::OkStatus();
}

// Behind the last change that there is, from `from` on.
absl::StatusOr<FeedPosition> EndOfFeed(Store* store, FeedPosition from = {}) {
  ASSIGN_OR_RETURN(const auto feed, store->NewChangeFeed(from));
  while (true) {
    ASSIGN_OR_RETURN(const bool more, feed->Next());
    if (!more) return feed->position();
  }
}

// `position` is behind the last change, and was on the device.
absl::Status CheckFeed(Store* store, FeedPosition position) {
  const absl::StatusOr<FeedPosition> end = EndOfFeed(store, position);
  RETURN_IF_ERROR(Because("a feed from what was synced", end.status()));
  if (end->sequence == position.sequence) return absl::OkStatus();
  return Wrong("a feed has more than there was");
}

absl::Status CheckSecondOpen(SimulatedDisk* disk, const Options& options,
                             const Answer& expected, FeedPosition position) {
  {
    absl::StatusOr<std::unique_ptr<Store>> store = Open(disk, options);
    RETURN_IF_ERROR(Because("the second open", store.status()));
    absl::StatusOr<Answer> found = Whole(store->get());
    RETURN_IF_ERROR(Because("reading after the second open", found.status()));
    if (!Fits(*found, expected)) {
      return Wrong(absl::StrCat("the second open shows ", Describe(*found),
                                "\ninstead of ", Describe(expected)));
    }
    RETURN_IF_ERROR(CheckFeed(store->get(), position));
    RETURN_IF_ERROR(Because("close", (*store)->Close()));
  }
  RETURN_IF_ERROR(CheckFiles(disk));
  if (disk->open_handles() == 0) return absl::OkStatus();
  return Wrong(absl::StrCat(disk->open_handles(), " leaked handles"));
}

}  // namespace

absl::Status CheckRecovery(SimulatedDisk* disk, const Options& options_then,
                           const History& history, History::End end,
                           const Afterwards& afterwards) {
  Options options = options_then;
  const int64_t date_ms = history.wall_ms() - kSetBackMs;
  ManualClock clock(absl::FromUnixMillis(date_ms));
  if (afterwards.set_clock_back) options.clock = &clock;
  absl::StatusOr<std::unique_ptr<Store>> store = Open(disk, options);
  RETURN_IF_ERROR(Because("open", store.status()));
  absl::StatusOr<Answer> found = Whole(store->get());
  RETURN_IF_ERROR(Because("reading", found.status()));
  const bool allowed = afterwards.set_clock_back
                           ? history.AllowsSetBack(*found, end, date_ms)
                           : history.Allows(*found, end);
  if (!allowed) {
    return Wrong(absl::StrCat("found ", Describe(*found), "\nbut allowed is\n",
                              history.Describe(end)));
  }
  RETURN_IF_ERROR(CheckGets(store->get(), found->contents));
  RETURN_IF_ERROR(
      Because("put", (*store)->Put(kWritable, "again", {.sync = true})));
  absl::StatusOr<Answer> written = Whole(store->get());
  RETURN_IF_ERROR(Because("reading what was written", written.status()));
  found->contents[kWritable] = {"again"};
  if (written->contents != found->contents) {
    return Wrong("a put changes more than its key");
  }
  const absl::StatusOr<FeedPosition> position = EndOfFeed(store->get());
  RETURN_IF_ERROR(Because("a feed", position.status()));
  if (afterwards.close_first)
    RETURN_IF_ERROR(Because("close", (*store)->Close()));
  SimulatedDisk after(disk->AfterPowerLoss(Writeback::OfNothing()),
                      disk->abilities());
  disk->Kill();
  return CheckSecondOpen(&after, options, *written, *position);
}

absl::Status CheckRefusal(SimulatedDisk* disk, const Options& options) {
  SimulatedDisk::Image before = disk->AfterKill();
  const absl::Status refused = Open(disk, options).status();
  SimulatedDisk::Image after = disk->AfterKill();
  before.erase(std::string(kLockFileName));
  after.erase(std::string(kLockFileName));
  if (!absl::IsDataLoss(refused)) return Wrong("garbage is not refused");
  return before == after ? absl::OkStatus() : Wrong("garbage was changed");
}

}  // namespace stave
