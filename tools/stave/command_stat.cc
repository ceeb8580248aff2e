#include <memory>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/advice.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/session.h"
#include "tools/stave/statistics_text.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "--json: one object with keys, live_bytes, dead_bytes, segment_bytes,\n"
    "pinned_bytes, hint_bytes, checkpoint_bytes, dictionary_bytes,\n"
    "reserve_bytes, disk_bytes, segments, mappings, mapped_bytes, "
    "keydir_bytes,\n"
    "bytes_cut_at_open, space_amplification, compression_ratio; segment_list, "
    "of\n"
    "objects with id, file_bytes, live_bytes, dead_bytes; and advice, of "
    "strings.\n"
    "Sizes are in bytes.\n"
    "\n"
    "The bars are segments, from old to new: # are live records, - are dead "
    "ones,\n"
    "which merges free. Advice is given where the disk is nearly full, limits "
    "of\n"
    "the system are low, or the file system is unusual; mostly there is none.\n"
    "\n"
    "The compression ratio is what values would take over what they take; of "
    "a\n"
    "store of more than 16 MiB it is that of a part of them.\n"
    "\n"
    "Cut off at open is what a process was still writing when it or the "
    "machine\n"
    "was stopped; nothing of it had been acknowledged.\n"
    "\n"
    "  stave stat\n"
    "  stave stat --prometheus\n";

absl::Status Stat(bool prometheus, Session& session) {
  if (prometheus && session.json()) {
    return absl::InvalidArgumentError(
        "--prometheus and --json are two formats; give one of them");
  }
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  const Statistics statistics = (*store)->GetStatistics();
  if (prometheus) return session.out().Write(statistics.PrometheusText());
  const ValueSample values = (*store)->SampleValues();
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  const std::vector<std::string> advice =
      AdviceFor(LookAround(*directory), statistics);
  if (session.json()) {
    return session.out().Write(StatisticsJson(statistics, values, advice) +
                               "\n");
  }
  return session.out().Write(StatisticsText(statistics, values, advice));
}

}  // namespace

void AddStatCommand(CommandLine* command_line) {
  auto prometheus = std::make_shared<bool>(false);
  command_line
      ->Add({.name = "stat",
             .summary = "Print how large the store is",
             .details = kDetails,
             .run = [prometheus](Session& s) { return Stat(*prometheus, s); }})
      .Flag("--prometheus", "In Prometheus' text format", prometheus.get());
}

}  // namespace stave::tool
