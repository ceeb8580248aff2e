#ifndef STAVE_TOOLS_STAVE_RECORD_FORMAT_H_
#define STAVE_TOOLS_STAVE_RECORD_FORMAT_H_

#include <optional>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"
#include "tools/stave/json_lines.h"
#include "tools/stave/record.h"
#include "tools/stave/tsv.h"

namespace stave::tool {

// How a line holds a record.
enum class RecordFormat { kTsv, kJsonLines };

// The format that `name` ("tsv" or "jsonl") says; without one, JSON lines if
// the file's name ends in ".jsonl", else tsv.
absl::StatusOr<RecordFormat> ChooseFormat(
    const std::optional<std::string>& name, std::string_view file);

// Appends the record's line with its newline.
void AppendRecord(RecordFormat format, const Record& record,
                  std::string* lines);

// Reads lines of one format, see tsv.h and json_lines.h. Thread-compatible.
class RecordDecoder {
 public:
  explicit RecordDecoder(RecordFormat format) : format_(format) {}

  absl::StatusOr<Record> Decode(std::string_view line) {
    return format_ == RecordFormat::kTsv ? tsv_.Decode(line)
                                         : json_lines_.Decode(line);
  }

 private:
  const RecordFormat format_;
  TsvDecoder tsv_;
  JsonLineDecoder json_lines_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_RECORD_FORMAT_H_
