#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/base/periodic_thread.h"
#include "stave/merge.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/human_units.h"
#include "tools/stave/progress.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Copies what is live in segments of which much is dead, and removes them.\n"
    "A store does this by itself as far as its bound asks for it; this does\n"
    "it now, to the end, and prints what the segments took before and after.\n"
    "--dry-run only reads, and works beside a running writer.\n"
    "\n"
    "  stave merge --dry-run\n"
    "  stave merge\n"
    "  stave merge --all\n"
    "  stave merge --merge-limit 50000000\n"
    "\n"
    "--json: {\"merges\":N,\"bytes_before\":N,\"bytes_after\":N}; with\n"
    "--dry-run {\"segments\":[{\"id\":N,\"live_bytes\":N,\"dead_bytes\":N,\n"
    "\"chosen\":BOOL,\"reason\":TEXT},...]}\n";

// How often a person sees how far it is.
constexpr absl::Duration kLookInterval = absl::Milliseconds(100);

struct MergeArguments {
  bool dry_run = false;
  bool all = false;
};

std::string Bytes(uint64_t bytes) {
  return HumanBytes(static_cast<double>(bytes));
}

std::string TextOf(const MergePlan& plan) {
  std::string text;
  for (const SegmentChoice& choice : plan.segments) {
    absl::StrAppendFormat(
        &text, "segment %d, %s live, %s dead: %s, since %s\n", choice.id,
        Bytes(choice.live_bytes), Bytes(choice.dead_bytes),
        choice.chosen ? "would be merged" : "would stay", choice.reason);
  }
  return text;
}

// Reasons have nothing in them that JSON would write otherwise.
std::string JsonOf(const MergePlan& plan) {
  std::string json = "{\"segments\":[";
  const char* separator = "";
  for (const SegmentChoice& choice : plan.segments) {
    absl::StrAppendFormat(&json,
                          "%s{\"id\":%d,\"live_bytes\":%d,\"dead_bytes\":%d,"
                          "\"chosen\":%s,\"reason\":\"%s\"}",
                          separator, choice.id, choice.live_bytes,
                          choice.dead_bytes, choice.chosen ? "true" : "false",
                          choice.reason);
    separator = ",";
  }
  return json + "]}\n";
}

std::string ResultOf(const Statistics& before, const Statistics& after,
                     bool json) {
  const uint64_t merges = after.merges - before.merges;
  const auto taken = [](const Statistics& statistics) {
    return statistics.segment_bytes - statistics.pinned_bytes;
  };
  if (json) {
    return absl::StrFormat(
        "{\"merges\":%d,\"bytes_before\":%d,\"bytes_after\":%d}\n", merges,
        taken(before), taken(after));
  }
  if (merges == 0) {
    return absl::StrFormat("Nothing to merge: the segments take %s\n",
                           Bytes(taken(after)));
  }
  return absl::StrFormat("Merged: the segments took %s and take %s now\n",
                         Bytes(taken(before)), Bytes(taken(after)));
}

absl::Status DryRun(const MergeOptions& options, Session& session) {
  const absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  const absl::StatusOr<MergePlan> plan = (*store)->PlanMerge(options);
  if (!plan.ok()) return plan.status();
  return session.out().Write(session.json() ? JsonOf(*plan) : TextOf(*plan));
}

uint64_t ChosenBytes(const MergePlan& plan) {
  uint64_t bytes = 0;
  for (const SegmentChoice& choice : plan.segments) {
    if (choice.chosen) bytes += choice.live_bytes + choice.dead_bytes;
  }
  return bytes;
}

// Shows on a terminal how far it is.
absl::Status MergeWatched(const MergeOptions& options, Store& store) {
  Progress progress("merged", /*total_bytes=*/0);
  if (!progress.shown()) return store.Merge(options);
  const absl::StatusOr<MergePlan> plan = store.PlanMerge(options);
  if (!plan.ok()) return plan.status();
  // There may be more: a segment that the merge closes first, and what it
  // merges twice, are not in the plan.
  const uint64_t total_bytes = ChosenBytes(*plan);
  const uint64_t before = store.GetStatistics().merge_bytes_read;
  const auto look = [&] {
    progress.Reach(store.GetStatistics().merge_bytes_read - before,
                   total_bytes);
  };
  // Where there can be no thread it merges unseen.
  const auto watch = PeriodicThread::Start(SystemClock(), kLookInterval, look);
  const absl::Status status = store.Merge(options);
  if (watch.ok()) (*watch)->Stop();
  look();
  return status;
}

absl::Status Merge(const MergeArguments& arguments, Session& session) {
  const MergeOptions options{.all = arguments.all};
  if (arguments.dry_run) return DryRun(options, session);
  if (session.read_only()) {
    return absl::InvalidArgumentError(
        "merge writes, and --read-only forbids it; --dry-run only reads");
  }
  const absl::StatusOr<std::unique_ptr<Store>> opened = session.OpenExisting();
  // No key was looked for, for which NotFound would stand.
  if (absl::IsNotFound(opened.status())) {
    return absl::FailedPreconditionError(opened.status().message());
  }
  if (!opened.ok()) return opened.status();
  Store* const store = opened->get();
  // What happens is this command's doing, or nobody's.
  store->PauseMerge();
  const Statistics before = store->GetStatistics();
  RETURN_IF_ERROR(MergeWatched(options, *store));
  RETURN_IF_ERROR(session.out().Write(
      ResultOf(before, store->GetStatistics(), session.json())));
  return store->Close();
}

}  // namespace

void AddMergeCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<MergeArguments>();
  command_line
      ->Add({.name = "merge",
             .summary = "Free the space of what was deleted or replaced",
             .details = kDetails,
             .run = [arguments](Session& s) { return Merge(*arguments, s); }})
      .Flag("--dry-run", "Print what it would do with each segment, and why",
            &arguments->dry_run)
      .Flag("--all", "Also segments of which only a little is dead",
            &arguments->all);
}

}  // namespace stave::tool
