#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "stave/verify.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/human_units.h"
#include "tools/stave/json_text.h"
#include "tools/stave/progress.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Reads every byte of the store and prints what is damaged, and what that\n"
    "costs. Changes nothing, and works beside a running writer, and on a "
    "store\n"
    "that no other command can open, its manifest lost included. The exit "
    "code\n"
    "is 3 if there is damage. A torn tail, which a crash leaves, is none.\n"
    "\n"
    "  stave fsck\n"
    "  stave --store /data/broken fsck --json\n"
    "\n"
    "--json: {\"clean\":BOOL,\"records\":N,\"damage\":[{\"file\":NAME,\n"
    "\"offset\":N,\"length\":N,\"what\":TEXT},...]}\n";

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
  return text + "\n";
}

std::string TextOf(const VerifyReport& report) {
  std::string text;
  for (const Damage& damage : report.damage) text += TextOf(damage);
  if (report.torn_tail_bytes > 0) {
    absl::StrAppendFormat(
        &text,
        "Torn tail: %s. That is no damage: it was on its way when the machine\n"
        "stopped, or is being written just now.\n",
        HumanBytes(static_cast<double>(report.torn_tail_bytes)));
  }
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

// Shows on a terminal how far it is.
class Watch {
 public:
  std::function<void(const VerifyProgress&)> Callback(std::string_view verb) {
    return [this, verb](const VerifyProgress& now) {
      if (!shown_.has_value()) shown_.emplace(verb, now.total_bytes);
      shown_->AddBytes(now.bytes - bytes_);
      bytes_ = now.bytes;
    };
  }
  void End() { shown_.reset(); }

 private:
  std::optional<Progress> shown_;
  uint64_t bytes_ = 0;
};

absl::Status Check(Session& session) {
  Watch watch;
  VerifyOptions options;
  options.progress = watch.Callback("checked");
  const absl::StatusOr<VerifyReport> report = session.VerifyStore(options);
  watch.End();
  if (!report.ok()) return report.status();
  RETURN_IF_ERROR(
      session.out().Write(session.json() ? JsonOf(*report) : TextOf(*report)));
  if (report->clean) return absl::OkStatus();
  return absl::DataLossError(
      "the store is damaged; `stave fsck --repair TO` copies what is sound "
      "into a new store, and a backup may have the rest");
}

}  // namespace

void AddFsckCommand(CommandLine* command_line) {
  command_line->Add({.name = "fsck",
                     .summary = "Look for damage, and save what is sound",
                     .details = kDetails,
                     .run = Check});
}

}  // namespace stave::tool
