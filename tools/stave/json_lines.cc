#include "tools/stave/json_lines.h"

#include <cstddef>
#include <cstdint>
#include <optional>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "engine/base/json_text.h"
#include "nlohmann/json.hpp"
#include "tools/stave/escape.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

using nlohmann::json;

// Receives the parser's events for one line. An event that a record has no
// place for ends the parse, so there is never more than one level, and never a
// tree in memory.
class RecordHandler : public nlohmann::json_sax<json> {
 public:
  RecordHandler(std::string* key, std::string* value)
      : key_(key), value_(value) {}

  bool start_object(size_t) override {
    if (in_object_) return WrongType("an object");
    in_object_ = true;
    return true;
  }
  bool end_object() override { return true; }
  bool start_array(size_t) override { return WrongType("an array"); }
  bool end_array() override { return true; }
  bool null() override { return WrongType("null"); }
  bool boolean(bool) override { return WrongType("true or false"); }
  bool number_float(number_float_t, const string_t&) override {
    return WrongType("a number with a fraction or too large");
  }
  bool binary(binary_t&) override { return WrongType("binary"); }

  bool key(string_t& name) override {
    field_ = std::move(name);
    return true;
  }
  bool string(string_t& text) override;
  bool number_integer(number_integer_t number) override;
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<uint64_t>(INT64_MAX)) {
      return WrongType("a number that is too large");
    }
    return number_integer(static_cast<number_integer_t>(number));
  }
  bool parse_error(size_t position, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(absl::StrFormat("not JSON at byte %d", position));
  }

  // The first thing that was wrong, or that was missing at the end.
  absl::Status Result() const;
  absl::Time expire_at() const {
    return expire_at_.value_or(absl::InfiniteFuture());
  }

 private:
  // Stops the parse, when they return to it.
  bool Fail(std::string what) {
    if (problem_.empty()) problem_ = std::move(what);
    return false;
  }
  bool WrongType(const char* what);
  bool Twice() {
    return Fail(absl::StrFormat("field %s is given twice", Quoted(field_)));
  }

  std::string* const key_;
  std::string* const value_;
  bool in_object_ = false;
  bool has_key_ = false;
  bool has_value_ = false;
  std::optional<absl::Time> expire_at_;
  std::string field_;
  std::string problem_;
};

bool IsFieldName(std::string_view name) {
  return name == "key" || name == "key_base64" || name == "value" ||
         name == "value_base64" || name == "expire_at_ms";
}

bool RecordHandler::WrongType(const char* what) {
  if (!in_object_) {
    return Fail(absl::StrFormat("the line is %s, not an object", what));
  }
  if (!IsFieldName(field_)) {
    return Fail(absl::StrFormat("unknown field %s", Quoted(field_)));
  }
  return Fail(absl::StrFormat("field %s can not be %s", Quoted(field_), what));
}

bool RecordHandler::string(string_t& text) {
  const bool is_key = field_ == "key" || field_ == "key_base64";
  const bool is_value = field_ == "value" || field_ == "value_base64";
  if (!is_key && !is_value) return WrongType("a string");
  bool& has = is_key ? has_key_ : has_value_;
  if (has) return Twice();
  has = true;
  std::string* bytes = is_key ? key_ : value_;
  if (field_ == "key" || field_ == "value") {
    bytes->swap(text);
    return true;
  }
  // Exactly as dump writes it: anything else was damaged on its way.
  if (absl::Base64Unescape(text, bytes) && absl::Base64Escape(*bytes) == text) {
    return true;
  }
  return Fail(absl::StrFormat("field %s is not base64", Quoted(field_)));
}

bool RecordHandler::number_integer(number_integer_t number) {
  if (field_ != "expire_at_ms") return WrongType("a number");
  if (expire_at_.has_value()) return Twice();
  absl::StatusOr<absl::Time> expiry = ExpiryFromMilliseconds(number);
  if (!expiry.ok()) return Fail(std::string(expiry.status().message()));
  expire_at_ = *expiry;
  return true;
}

absl::Status RecordHandler::Result() const {
  if (!problem_.empty()) return absl::InvalidArgumentError(problem_);
  if (!has_key_) return absl::InvalidArgumentError("no field 'key'");
  if (!has_value_) return absl::InvalidArgumentError("no field 'value'");
  return absl::OkStatus();
}

}  // namespace

void AppendJsonLine(const Record& record, std::string* line) {
  line->push_back('{');
  AppendJsonBytes("key", record.key, line);
  line->push_back(',');
  AppendJsonBytes("value", record.value, line);
  if (record.expire_at != absl::InfiniteFuture()) {
    absl::StrAppendFormat(line, ",\"expire_at_ms\":%d",
                          absl::ToUnixMillis(record.expire_at));
  }
  line->push_back('}');
}

absl::StatusOr<Record> JsonLineDecoder::Decode(std::string_view line) {
  RecordHandler handler(&key_, &value_);
  json::sax_parse(line.data(), line.data() + line.size(), &handler);
  RETURN_IF_ERROR(handler.Result());
  // Which the parser takes for the end of the text; it is no part of any JSON.
  if (const size_t zero = line.find('\0'); zero != line.npos) {
    return absl::InvalidArgumentError(
        absl::StrFormat("not JSON at byte %d", zero + 1));
  }
  RETURN_IF_ERROR(CheckKey(key_));
  RETURN_IF_ERROR(CheckValue(value_));
  return Record{key_, value_, handler.expire_at()};
}

}  // namespace stave::tool
