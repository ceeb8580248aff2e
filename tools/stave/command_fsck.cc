#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/base/json_text.h"
#include "stave/verify.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/human_units.h"
#include "tools/stave/progress.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Reads every byte of the store and prints what is damaged and what that\n"
    "costs. Changes nothing; works beside a running writer, and on a store "
    "that\n"
    "no other command can open, its manifest lost included. The exit code is\n"
    "3 if there is damage. A torn tail, which a crash leaves, is none.\n"
    "\n"
    "--repair copies what is sound into a new store in TO, which must be\n"
    "empty or not there; the old one stays as it is. Expiries stay, deleted\n"
    "keys stay deleted, batches are whole or left out. A damaged place may\n"
    "have held a later record, or the deletion, of keys whose older values\n"
    "are copied: it prints how many that could be, and names those whose\n"
    "damaged records still show their keys. A key whose value needs a\n"
    "dictionary that is lost is left out: first put the file back, from a\n"
    "backup, if there is one. The exit code is 3 then as well.\n"
    "\n"
    "--reset-clock: a store never takes the time for earlier than it has\n"
    "seen it. If the clock was far ahead once, as `stave stat` shows, this\n"
    "sets the store back to what the clock says now.\n"
    "\n"
    "  stave fsck\n"
    "  stave fsck --store /data/broken --repair /data/repaired\n"
    "\n"
    "--json: {\"clean\":BOOL,\"records\":N,\"damage\":[{\"file\":NAME,\n"
    "\"offset\":N,\"length\":N,\"what\":TEXT},...]}; with --repair also\n"
    "\"recovered\" and \"lost\"; with --reset-clock {\"floor_ms\":N,\n"
    "\"now_ms\":N,\"reset\":BOOL}\n";

struct FsckArguments {
  std::optional<std::string> repair;
  bool reset_clock = false;
};

std::string Plural(uint64_t count, const std::string& what) {
  return absl::StrFormat("%s %s%s", HumanCount(count), what,
                         count == 1 ? "" : "s");
}

std::string TextOf(const Damage& damage) {
  std::string text =
      absl::StrFormat("%s, offset %d, %s: %s", damage.file, damage.offset,
                      Plural(damage.length, "byte"), damage.what);
  if (damage.records > 0) {
    absl::StrAppendFormat(&text, "; lost: %s",
                          Plural(damage.records, "record"));
  }
  if (!damage.key.empty()) {
    absl::StrAppendFormat(&text, "; its key reads %s", Quoted(damage.key));
  }
  if (damage.superseded) {
    text += ", of which a later record is sound: so it costs nothing";
  } else if (damage.has_older_version) {
    text += ", of which an older value was copied";
  }
  return text + "\n";
}

std::string TextOfTornTail(uint64_t bytes) {
  if (bytes == 0) return "";
  return absl::StrFormat(
      "Torn tail: %s. That is no damage: it was on its way when the machine\n"
      "stopped, or is being written just now.\n",
      HumanBytes(static_cast<double>(bytes)));
}

std::string TextOf(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damage) text += TextOf(damage);
  text += TextOfTornTail(report.torn_tail_bytes);
  absl::StrAppendFormat(&text, "%s: %s sound in %s",
                        report.clean ? "Clean" : "Damaged",
                        Plural(report.records, "record"),
                        HumanBytes(static_cast<double>(report.bytes)));
  if (!report.clean) {
    absl::StrAppendFormat(&text, ", %s, %s lost",
                          Plural(report.damage.size(), "damaged place"),
                          Plural(report.lost, "record"));
  }
  return text + ".\n";
}

std::string JsonOf(const std::vector<Damage>& damage) {
  std::string json = "[";
  for (const Damage& each : damage) {
    json += json.size() > 1 ? ",{" : "{";
    AppendJsonBytes("file", each.file, &json);
    absl::StrAppendFormat(&json, ",\"offset\":%d,\"length\":%d,", each.offset,
                          each.length);
    AppendJsonBytes("what", each.what, &json);
    json += "}";
  }
  return json + "]";
}

std::string JsonOf(const VerifyReport& report) {
  return absl::StrFormat("{\"clean\":%s,\"records\":%d,\"damage\":%s}\n",
                         report.clean ? "true" : "false", report.records,
                         JsonOf(report.damage));
}

std::string TextOf(const RepairReport& report, const std::string& to) {
  std::string text;
  for (const Damage& damage : report.damage) text += TextOf(damage);
  text += TextOfTornTail(report.torn_tail_bytes);
  absl::StrAppendFormat(&text, "Copied %s to %s; %s lost.\n",
                        Plural(report.recovered, "key"), to,
                        Plural(report.lost, "record"));
  if (report.possibly_stale > 0) {
    absl::StrAppendFormat(
        &text,
        "%s may be out of date: changed or deleted by what was damaged.\n",
        Plural(report.possibly_stale, "copied key"));
  }
  return text;
}

std::string JsonOf(const RepairReport& report) {
  return absl::StrFormat(
      "{\"clean\":%s,\"records\":%d,\"damage\":%s,\"recovered\":%d,"
      "\"lost\":%d}\n",
      report.damage.empty() ? "true" : "false", report.records,
      JsonOf(report.damage), report.recovered, report.lost);
}

// Shows on a terminal how far it is.
std::function<void(const VerifyProgress&)> ShownBy(Progress* progress) {
  return [progress](const VerifyProgress& now) {
    progress->Reach(now.bytes, now.total_bytes);
  };
}

absl::StatusOr<VerifyReport> VerifyWatched(Session& session) {
  Progress progress("checked", /*total_bytes=*/0);
  VerifyOptions options;
  options.progress = ShownBy(&progress);
  return session.VerifyStore(options);
}

absl::StatusOr<RepairReport> RepairWatched(const std::string& to,
                                           Session& session) {
  Progress progress("checked", /*total_bytes=*/0);
  RepairOptions options;
  options.progress = ShownBy(&progress);
  return session.RepairStore(to, options);
}

absl::Status Check(Session& session) {
  const absl::StatusOr<VerifyReport> report = VerifyWatched(session);
  if (!report.ok()) return report.status();
  RETURN_IF_ERROR(
      session.out().Write(session.json() ? JsonOf(*report) : TextOf(*report)));
  if (report->clean) return absl::OkStatus();
  return absl::DataLossError(
      "the store is damaged; `stave fsck --repair TO` copies what is sound "
      "into a new store, and a backup may have the rest");
}

absl::Status RepairInto(const std::string& to, Session& session) {
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  RETURN_IF_ERROR(CheckOutsideOf(*directory, to));
  const absl::StatusOr<RepairReport> report = RepairWatched(to, session);
  if (!report.ok()) return report.status();
  RETURN_IF_ERROR(session.out().Write(session.json() ? JsonOf(*report)
                                                     : TextOf(*report, to)));
  if (report->damage.empty()) return absl::OkStatus();
  return absl::DataLossError(
      absl::StrFormat("the store is damaged; what is sound is in %s", to));
}

absl::Status Reset(Session& session) {
  const absl::StatusOr<ClockReset> reset = session.ResetStoreClock();
  if (!reset.ok()) return reset.status();
  if (session.json()) {
    return session.out().Write(absl::StrFormat(
        "{\"floor_ms\":%d,\"now_ms\":%d,\"reset\":%s}\n",
        absl::ToUnixMillis(reset->floor), absl::ToUnixMillis(reset->now),
        reset->reset ? "true" : "false"));
  }
  const auto text = [](absl::Time time) {
    return absl::FormatTime(time, absl::UTCTimeZone());
  };
  return session.out().Write(absl::StrFormat(
      "The store has seen  %s\nThe clock says      %s\n%s\n",
      text(reset->floor), text(reset->now),
      reset->reset ? "The store has been set back to the clock."
                   : "The store isn't ahead; nothing was changed."));
}

absl::Status Fsck(const FsckArguments& arguments, Session& session) {
  const bool writes = arguments.repair.has_value() || arguments.reset_clock;
  if (writes && session.read_only()) {
    return absl::InvalidArgumentError(
        "--repair and --reset-clock write, and --read-only forbids it");
  }
  if (arguments.repair.has_value() && arguments.reset_clock) {
    return absl::InvalidArgumentError(
        "--repair and --reset-clock are two things; do one after the other");
  }
  if (arguments.reset_clock) return Reset(session);
  if (!arguments.repair.has_value()) return Check(session);
  if (arguments.repair->empty()) {
    return absl::InvalidArgumentError("--repair needs a directory's name");
  }
  return RepairInto(UserPath(*arguments.repair), session);
}

}  // namespace

void AddFsckCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<FsckArguments>();
  command_line
      ->Add({.name = "fsck",
             .summary = "Look for damage, and save what is sound",
             .details = kDetails,
             .run = [arguments](Session& s) { return Fsck(*arguments, s); }})
      .Option("--repair", "TO", "Copy what is sound into a new store",
              &arguments->repair)
      .Flag("--reset-clock", "Set back a store that is ahead of the clock",
            &arguments->reset_clock);
}

}  // namespace stave::tool
