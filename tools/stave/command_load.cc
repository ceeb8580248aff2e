#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "stave/limits.h"
#include "stave/store.h"
#include "tools/stave/command_line.h"
#include "tools/stave/commands.h"
#include "tools/stave/file_descriptor.h"
#include "tools/stave/human_units.h"
#include "tools/stave/line_reader.h"
#include "tools/stave/loader.h"
#include "tools/stave/number.h"
#include "tools/stave/progress.h"
#include "tools/stave/record_format.h"
#include "tools/stave/session.h"
#include "tools/stave/status_macros.h"
#include "tools/stave/system_error.h"
#include "tools/stave/terminal_note.h"
#include "tools/stave/user_paths.h"

namespace stave::tool {
namespace {

constexpr char kDetails[] =
    "Adds the records, or replaces their values. Lines are\n"
    "\n"
    "  tsv    KEY<TAB>VALUE[<TAB>expire_at_ms=MILLISECONDS], where \\n \\t "
    "\\r\n"
    "         \\\\ and \\xHH in key and value stand for those bytes; all "
    "other\n"
    "         bytes, also a carriage return at the end, for themselves\n"
    "  jsonl  {\"key\":KEY,\"value\":VALUE}, also with key_base64, "
    "value_base64,\n"
    "         expire_at_ms\n"
    "\n"
    "A bad line is named by its number, and the exit code is 2; the records\n"
    "before it are loaded, and nothing after it. A batch is there as a whole\n"
    "or not at all, whatever happens. What a slow pipe has sent waits until\n"
    "the batch is full, or the input ends; --batch 1 loads each line at once.\n"
    "A record that has expired deletes its key.\n"
    "\n"
    "--ack prints, after each batch, how many records are loaded so far: they\n"
    "survive if this process is killed, with --sync also a power loss. When\n"
    "the command is done, all of them are on the device.\n"
    "\n"
    "  stave load users.tsv\n"
    "  stave load records.jsonl --sync\n"
    "  tail -f records.tsv | stave load --batch 1 --ack\n"
    "\n"
    "--json: {\"loaded\":N} at the end\n";

// JSON may write a byte as six, and names the fields beside it.
constexpr size_t kMaxLineBytes = 6 * (kMaxKeyBytes + kMaxValueBytes) + 1024;

struct LoadArguments {
  std::optional<std::string> file;
  std::optional<std::string> format;
  std::optional<std::string> batch;
  bool sync = false;
  bool ack = false;
};

// Where the lines come from.
struct Input {
  std::string name;
  FileDescriptor opened;  // unless it is standard input
  int descriptor = STDIN_FILENO;
  uint64_t total_bytes = 0;  // 0: not known
};

absl::StatusOr<Input> OpenInput(const LoadArguments& arguments) {
  Input input;
  if (!arguments.file.has_value() || arguments.file == "-") {
    NoteIfTerminal("records");
    input.name = "standard input";
  } else {
    input.name = UserPath(*arguments.file);
    absl::StatusOr<FileDescriptor> opened = OpenForReading(input.name);
    if (!opened.ok()) return opened.status();
    input.opened = *std::move(opened);
    input.descriptor = input.opened.number();
  }
  struct stat status;
  if (fstat(input.descriptor, &status) != 0) return input;
  if (S_ISDIR(status.st_mode)) return SystemError("read", input.name, EISDIR);
  if (S_ISREG(status.st_mode)) {
    input.total_bytes = static_cast<uint64_t>(status.st_size);
  }
  return input;
}

// Adds what all lines hold, up to the first that is bad.
absl::Status AddLines(RecordFormat format, const Input& input, Loader* loader) {
  Progress progress("loaded", input.total_bytes);
  RecordDecoder decoder(format);
  LineReader reader(input.descriptor, input.name, kMaxLineBytes);
  uint64_t bytes_before = 0;
  while (reader.Next()) {
    absl::StatusOr<Record> record = decoder.Decode(reader.line());
    absl::Status status = record.ok() ? loader->Add(*record) : record.status();
    if (absl::IsInvalidArgument(status)) {
      return absl::InvalidArgumentError(
          absl::StrFormat("%s: line %d: %s", input.name, reader.line_number(),
                          status.message()));
    }
    RETURN_IF_ERROR(status);
    progress.Add(reader.bytes() - bytes_before);
    bytes_before = reader.bytes();
  }
  return reader.status();
}

// Loads all of `input`; whatever ends that early, what came before is loaded.
absl::Status LoadInput(RecordFormat format, const Input& input,
                       Loader* loader) {
  absl::Status status = AddLines(format, input, loader);
  if (const absl::Status flushed = loader->Flush(); !flushed.ok()) {
    status = flushed;
  }
  if (status.ok()) return status;
  // To end quietly, as for the reader of a list, would leave half of a load
  // unnoticed.
  const absl::StatusCode code =
      absl::IsCancelled(status) ? absl::StatusCode::kInternal : status.code();
  return absl::Status(
      code, absl::StrFormat("%s; records loaded before that: %s",
                            status.message(), HumanCount(loader->loaded())));
}

absl::Status Load(const LoadArguments& arguments, Session& session) {
  absl::StatusOr<RecordFormat> format =
      ChooseFormat(arguments.format, arguments.file.value_or(""));
  if (!format.ok()) return format.status();
  absl::StatusOr<uint64_t> batch =
      PositiveNumber("--batch", arguments.batch, 1);
  if (!batch.ok()) return batch.status();
  // Opened before the store, which is not made for a file that isn't there.
  absl::StatusOr<Input> input = OpenInput(arguments);
  if (!input.ok()) return input.status();
  absl::StatusOr<std::unique_ptr<Store>> store = session.OpenForWriting();
  if (!store.ok()) return store.status();

  Loader::Options options;
  if (arguments.batch.has_value()) options.batch_records = *batch;
  options.sync = arguments.sync;
  options.acknowledgements = arguments.ack ? &session.out() : nullptr;
  Loader loader(store->get(), options);
  absl::Status status = LoadInput(*format, *input, &loader);
  status.Update((*store)->Close());
  RETURN_IF_ERROR(status);
  if (!session.json()) return absl::OkStatus();
  return session.out().Write(
      absl::StrFormat("{\"loaded\":%d}\n", loader.loaded()));
}

}  // namespace

void AddLoadCommand(CommandLine* command_line) {
  auto arguments = std::make_shared<LoadArguments>();
  command_line
      ->Add({.name = "load",
             .summary = "Add records from lines of text",
             .details = kDetails,
             .writes = true,
             .run = [arguments](Session& s) { return Load(*arguments, s); }})
      .Optional("FILE", "Without it, or for '-': standard input",
                &arguments->file)
      .Option("--format", "tsv|jsonl",
              "Without it: jsonl if FILE ends in .jsonl, else tsv",
              &arguments->format)
      .Choices({"tsv", "jsonl"})
      .Option("--batch", "N",
              "Records in an atomic batch; else 1,000 or a megabyte",
              &arguments->batch)
      .Flag("--sync", "Bring each batch to the device before the next",
            &arguments->sync)
      .Flag("--ack", "Print the count of loaded records after each batch",
            &arguments->ack);
}

}  // namespace stave::tool
