#include "tools/stave/tsv.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>

#include "absl/status/status.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "tools/stave/escape.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr std::string_view kExpiryName = "expire_at_ms=";

// Sets *bytes to the field's own bytes, in `*scratch` only if it has escapes.
absl::Status DecodeField(std::string_view field, std::string* scratch,
                         std::string_view* bytes) {
  *bytes = field;
  if (field.find('\\') == std::string_view::npos) return absl::OkStatus();
  RETURN_IF_ERROR(Unescape(field, scratch));
  *bytes = *scratch;
  return absl::OkStatus();
}

absl::StatusOr<absl::Time> DecodeExpiry(std::string_view column) {
  int64_t milliseconds = 0;
  const std::string_view digits =
      column.substr(std::min(kExpiryName.size(), column.size()));
  if (!column.starts_with(kExpiryName) ||
      !absl::SimpleAtoi(absl::string_view(digits.data(), digits.size()),
                        &milliseconds)) {
    return absl::InvalidArgumentError(
        "a third column that is not expire_at_ms=MILLISECONDS; a tab within "
        "a value is written \\t");
  }
  return ExpiryFromMilliseconds(milliseconds);
}

}  // namespace

void AppendTsv(const Record& record, std::string* line) {
  AppendEscaped(record.key, line);
  line->push_back('\t');
  AppendEscaped(record.value, line);
  if (record.expire_at == absl::InfiniteFuture()) return;
  absl::StrAppendFormat(line, "\t%s%d", kExpiryName,
                        absl::ToUnixMillis(record.expire_at));
}

absl::StatusOr<Record> TsvDecoder::Decode(std::string_view line) {
  const size_t tab = line.find('\t');
  if (tab == std::string_view::npos) {
    return absl::InvalidArgumentError("no tab between a key and a value");
  }
  Record record;
  std::string_view value = line.substr(tab + 1);
  if (const size_t next = value.find('\t'); next != std::string_view::npos) {
    absl::StatusOr<absl::Time> expiry = DecodeExpiry(value.substr(next + 1));
    if (!expiry.ok()) return expiry.status();
    record.expire_at = *expiry;
    value = value.substr(0, next);
  }
  RETURN_IF_ERROR(DecodeField(line.substr(0, tab), &key_, &record.key));
  RETURN_IF_ERROR(DecodeField(value, &value_, &record.value));
  RETURN_IF_ERROR(CheckKey(record.key));
  RETURN_IF_ERROR(CheckValue(record.value));
  return record;
}

}  // namespace stave::tool
