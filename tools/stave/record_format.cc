#include "tools/stave/record_format.h"

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "tools/stave/escape.h"

namespace stave::tool {

absl::StatusOr<RecordFormat> ChooseFormat(
    const std::optional<std::string>& name, std::string_view file) {
  if (!name.has_value()) {
    return file.ends_with(".jsonl") ? RecordFormat::kJsonLines
                                    : RecordFormat::kTsv;
  }
  if (*name == "tsv") return RecordFormat::kTsv;
  if (*name == "jsonl") return RecordFormat::kJsonLines;
  return absl::InvalidArgumentError(absl::StrFormat(
      "--format %s is not known; there are tsv and jsonl", Quoted(*name)));
}

void AppendRecord(RecordFormat format, const Record& record,
                  std::string* lines) {
  if (format == RecordFormat::kTsv) {
    AppendTsv(record, lines);
  } else {
    AppendJsonLine(record, lines);
  }
  lines->push_back('\n');
}

}  // namespace stave::tool
