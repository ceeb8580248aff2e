#include <unistd.h>

#include <memory>
#include <optional>
#include <string>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/file_replacement.h"
#include "tools/stave/output.h"
#include "tools/stave/progress.h"
#include "tools/stave/record.h"
#include "tools/stave/record_format.h"
#include "tools/stave/selection.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Prints all records as of one instant, in no promised order, in lines\n"
    "that `stave load` takes back byte for byte, expiries included.\n"
    "\n"
    "FILE is replaced as a whole when the dump is complete and on the device;\n"
    "until then, and if that fails, an older FILE stays as it is. It keeps\n"
    "its mode; a new one is for its owner alone, as the store is. FILE can't\n"
    "be in the store's own directory.\n"
    "\n"
    "  stave dump all.jsonl\n"
    "  stave dump | gzip > all.tsv.gz\n"
    "\n"
    "--json: the same as --format jsonl\n";

struct DumpArguments {
  std::optional<std::string> file;
  std::optional<std::string> format;
};

absl::Status DumpRecords(Store& store, RecordFormat format, bool show_progress,
                         Output* out) {
  std::optional<Progress> progress;
  if (show_progress) progress.emplace("dumped", /*total_bytes=*/0);
  std::string line;
  RETURN_IF_ERROR(VisitRecords(store, Selection(), [&](const Record& record) {
    line.clear();
    AppendRecord(format, record, &line);
    if (progress.has_value()) progress->Add(line.size());
    return out->Write(line);
  }));
  return out->Flush();
}

absl::Status DumpToFile(Store& store, RecordFormat format,
                        const std::string& path) {
  absl::StatusOr<FileReplacement> file = FileReplacement::Create(path);
  if (!file.ok()) return file.status();
  Output out(file->descriptor(), path);
  RETURN_IF_ERROR(DumpRecords(store, format, /*show_progress=*/true, &out));
  return file->Commit();
}

absl::Status Dump(const DumpArguments& arguments, Session& session) {
  absl::StatusOr<RecordFormat> format =
      ChooseFormat(arguments.format, arguments.file.value_or(""));
  if (!format.ok()) return format.status();
  if (session.json() && !arguments.format.has_value()) {
    format = RecordFormat::kJsonLines;
  }
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForReading();
  if (!store.ok()) return store.status();
  if (arguments.file.has_value() && arguments.file != "-") {
    const std::string path = UserPath(*arguments.file);
    absl::StatusOr<std::string> directory = session.StoreDirectory();
    if (!directory.ok()) return directory.status();
    RETURN_IF_ERROR(CheckOutsideOf(*directory, path));
    return DumpToFile(**store, *format, path);
  }
  // On a terminal, the records themselves show how far it is.
  const bool show_progress = isatty(session.out().descriptor()) != 1;
  return DumpRecords(**store, *format, show_progress, &session.out());
}

}  // namespace

void AddDumpCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<DumpArguments>();
  command_line
      ->Add({.name = "dump",
             .summary = "Print all records as lines of text",
             .details = kDetails,
             .run = [arguments](Session& s) { return Dump(*arguments, s); }})
      .Optional("FILE", "Without it, or for '-': standard output",
                &arguments->file)
      .Option("--format", "tsv|jsonl",
              "Without it: jsonl if FILE ends in .jsonl, else tsv",
              &arguments->format)
      .Choices({"tsv", "jsonl"});
}

}  // namespace stave::tool
