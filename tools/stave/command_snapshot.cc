#include <cstdint>
#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "engine/base/json_text.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/escape.h"
#include "tools/stave/session.h"
#include "tools/stave/snapshot_files.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "save writes all pairs, as of one instant, to FILE, which is replaced as "
    "a\n"
    "whole when the snapshot is complete and on the device. load reads and\n"
    "checks all of FILE, whose format it finds out by itself, before it\n"
    "changes anything; into a store that has keys it goes only as told.\n"
    "\n"
    "  json       {\"version\":1,\"timestamp\":TIME,\"data\":{KEY:VALUE,...},\n"
    "             \"expire_at_ms\":{KEY:MILLISECONDS,...},\"binary\":[...]}\n"
    "  binary     version 2: with expiries and a checksum\n"
    "  binary-v1  has neither, and takes no pairs that expire\n"
    "\n"
    "A file that is no snapshot, or not a whole one, is exit code 2.\n"
    "\n"
    "  stave snapshot save data.json\n"
    "  stave snapshot load data.json --replace\n"
    "\n"
    "--json: {\"saved\":FILE} or {\"loaded\":N}\n";

struct SnapshotArguments {
  std::string action;
  std::string file;
  std::optional<std::string> format;
  bool add = false;
  bool replace = false;
};

absl::Status Save(const SnapshotArguments& arguments, Session& session) {
  if (arguments.add || arguments.replace) {
    return absl::InvalidArgumentError("--add and --replace are for load");
  }
  const absl::StatusOr<SnapshotFormat> format =
      ChooseSnapshotFormat(arguments.format, arguments.file);
  if (!format.ok()) return format.status();
  const absl::StatusOr<std::string> directory = session.StoreDirectory();
  if (!directory.ok()) return directory.status();
  const absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  RETURN_IF_ERROR(SaveSnapshot(**store, *directory, *format,
                               UserPath(arguments.file),
                               /*show_progress=*/true));
  if (!session.json()) {
    return session.out().Write(
        absl::StrFormat("Saved snapshot to %s\n", arguments.file));
  }
  std::string json = "{";
  AppendJsonBytes("saved", arguments.file, &json);
  return session.out().Write(json + "}\n");
}

absl::Status Load(const SnapshotArguments& arguments, Session& session) {
  if (session.read_only()) {
    return absl::InvalidArgumentError(
        "snapshot load writes, and --read-only forbids it");
  }
  if (arguments.format.has_value()) {
    return absl::InvalidArgumentError(
        "--format is for save; load finds it out by itself");
  }
  if (arguments.add && arguments.replace) {
    return absl::InvalidArgumentError("--add and --replace exclude each other");
  }
  // Before the store, which is not made for a file that is no snapshot.
  const auto snapshot = SnapshotFile::Open(UserPath(arguments.file),
                                           /*show_progress=*/true);
  if (!snapshot.ok()) return snapshot.status();
  const absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForWriting();
  if (!store.ok()) return store.status();
  const LoadMode mode = arguments.add       ? LoadMode::kAdd
                        : arguments.replace ? LoadMode::kReplace
                                            : LoadMode::kEmptyOnly;
  RETURN_IF_ERROR((*snapshot)->LoadInto(**store, mode));
  RETURN_IF_ERROR((*store)->Close());
  const uint64_t records = (*snapshot)->records();
  return session.out().Write(
      session.json() ? absl::StrFormat("{\"loaded\":%d}\n", records)
                     : absl::StrFormat("Loaded %d pairs\n", records));
}

absl::Status Snapshot(const SnapshotArguments& arguments, Session& session) {
  if (arguments.file.empty())
    return absl::InvalidArgumentError("FILE is empty");
  if (arguments.file == "-") {
    return absl::InvalidArgumentError(
        "a snapshot is a file, and can't be '-'; dump writes to standard "
        "output, and load reads from standard input");
  }
  if (arguments.action == "save") return Save(arguments, session);
  if (arguments.action == "load") return Load(arguments, session);
  return absl::InvalidArgumentError(absl::StrFormat(
      "snapshot does save or load, not %s", Quoted(arguments.action)));
}

}  // namespace

void AddSnapshotCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<SnapshotArguments>();
  command_line
      ->Add(
          {.name = "snapshot",
           .summary = "Save all pairs to a file, or load them from one",
           .details = kDetails,
           .run = [arguments](Session& s) { return Snapshot(*arguments, s); }})
      .Required("ACTION", "save or load", &arguments->action)
      .Choices({"save", "load"})
      .Required("FILE", "The snapshot", &arguments->file)
      .Option("--format", "FORMAT",
              "See below; else binary if FILE ends in .bin, or json",
              &arguments->format)
      .Choices({"json", "binary", "binary-v1"})
      .Flag("--add", "Load into a store that has keys, which stay",
            &arguments->add)
      .Flag("--replace", "Load, and delete keys that are not in the snapshot",
            &arguments->replace);
}

}  // namespace stave::tool
