#include "tools/stave/json_snapshot_reader.h"

#include <algorithm>
#include <cstddef>
#include <optional>
#include <set>
#include <streambuf>
#include <utility>
#include <vector>

#include "absl/functional/function_ref.h"
#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "engine/base/json_text.h"
#include "nlohmann/json.hpp"
#include "stave/limits.h"
#include "tools/stave/escape.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

using nlohmann::json;
using ExpiryVisitor =
    absl::FunctionRef<absl::Status(std::string_view, absl::Time)>;

// JSON may write a byte as six.
constexpr uint64_t kMaxTokenBytes = 6 * kMaxValueBytes + 1024;
constexpr size_t kBlockBytes = size_t{1} << 16;
constexpr char kNotJson[] = "this is not JSON, or not whole";

// Hands a file to the parser in blocks, knows where it is, and ends early if
// one token takes more than any that counts: the parser keeps it in memory.
class TokenInput : public std::streambuf {
 public:
  explicit TokenInput(std::istream* from) : from_(*from), block_(kBlockBytes) {}

  uint64_t position() const {
    return before_ + static_cast<uint64_t>(gptr() - eback());
  }
  void EndToken() { token_begin_ = position(); }
  bool token_is_too_long() const { return token_is_too_long_; }
  // The parser takes one for the end of the text, and so passes over what
  // follows; no JSON has any.
  bool has_zero_byte() const { return has_zero_byte_; }

 protected:
  int_type underflow() override {
    before_ += static_cast<uint64_t>(egptr() - eback());
    setg(nullptr, nullptr, nullptr);
    token_is_too_long_ |= before_ - token_begin_ > kMaxTokenBytes;
    if (token_is_too_long_) return traits_type::eof();
    from_.read(block_.data(), static_cast<std::streamsize>(block_.size()));
    if (from_.gcount() == 0) return traits_type::eof();
    setg(block_.data(), block_.data(), block_.data() + from_.gcount());
    has_zero_byte_ |= std::find(gptr(), egptr(), '\0') != egptr();
    return traits_type::to_int_type(*gptr());
  }

 private:
  std::istream& from_;
  std::vector<char> block_;
  uint64_t before_ = 0;  // bytes before the block
  uint64_t token_begin_ = 0;
  bool token_is_too_long_ = false;
  bool has_zero_byte_ = false;
};

// Receives the parser's events. One that has no place in a snapshot ends the
// parse, so there is never a tree in memory.
class SnapshotHandler : public nlohmann::json_sax<json> {
 public:
  SnapshotHandler(TokenInput* input, RecordVisitor visit, ExpiryVisitor expiry)
      : input_(*input), visit_(visit), expiry_(expiry) {}

  bool start_object(size_t) override {
    if (place_ == Place::kOutside) return Enter(Place::kSnapshot);
    if (place_ == Place::kSnapshot && name_ == "data") {
      return Enter(Place::kData);
    }
    if (place_ == Place::kSnapshot && name_ == "expire_at_ms") {
      return Enter(Place::kExpiries);
    }
    if (place_ == Place::kBinary) return Enter(Place::kBinaryPair);
    return WrongType("an object");
  }
  bool end_object() override {
    if (place_ == Place::kBinaryPair) return EndBinaryPair();
    return Enter(place_ == Place::kSnapshot ? Place::kOutside
                                            : Place::kSnapshot);
  }
  bool start_array(size_t) override {
    if (place_ != Place::kSnapshot || name_ != "binary") {
      return WrongType("an array");
    }
    return Enter(Place::kBinary);
  }
  bool end_array() override { return Enter(Place::kSnapshot); }

  bool key(string_t& name) override;
  bool string(string_t& text) override;
  bool number_integer(number_integer_t number) override;
  bool number_unsigned(number_unsigned_t number) override {
    if (number > static_cast<uint64_t>(INT64_MAX)) {
      return WrongType("a number that is too large");
    }
    return number_integer(static_cast<number_integer_t>(number));
  }
  bool null() override { return WrongType("null"); }
  bool boolean(bool) override { return WrongType("true or false"); }
  bool number_float(number_float_t, const string_t&) override {
    return WrongType("a number with a fraction or too large");
  }
  bool binary(binary_t&) override { return WrongType("binary"); }
  bool parse_error(size_t, const std::string&,
                   const nlohmann::detail::exception&) override {
    return Fail(input_.token_is_too_long() ? "this is longer than any value"
                                           : kNotJson);
  }

  // The first thing that was wrong, or that was missing at the end.
  absl::Status Result() {
    if (status_.ok() && input_.has_zero_byte()) Fail(kNotJson);
    for (const char* name : {"version", "timestamp", "data"}) {
      if (!status_.ok() || members_.count(name) > 0) continue;
      Fail(absl::StrFormat("there is no member '%s'", name));
    }
    return status_;
  }

 private:
  enum class Place {
    kOutside,
    kSnapshot,
    kData,
    kExpiries,
    kBinary,
    kBinaryPair
  };

  bool Enter(Place place) {
    input_.EndToken();
    place_ = place;
    return true;
  }
  bool Go(absl::Status status) {
    input_.EndToken();
    if (status_.ok()) status_ = std::move(status);
    return status_.ok();
  }
  bool Fail(std::string_view what) {
    return Go(absl::InvalidArgumentError(
        absl::StrFormat("byte %d: %s", input_.position(), what)));
  }
  bool WrongType(const char* what) {
    if (place_ == Place::kOutside || place_ == Place::kBinary) {
      return Fail(absl::StrFormat("%s has no place here", what));
    }
    return Fail(absl::StrFormat("%s can not be %s", Quoted(name_), what));
  }
  // What is told of a key or value.
  bool Wrong(const absl::Status& status) {
    return Fail(std::string(status.message()));
  }

  bool Bytes(const string_t& text, std::optional<std::string>* bytes);
  bool Pair(std::string_view key, std::string_view value, absl::Time expire_at);
  bool EndBinaryPair();

  TokenInput& input_;
  const RecordVisitor visit_;
  const ExpiryVisitor expiry_;
  Place place_ = Place::kOutside;
  std::string name_;  // of the present member, which may be a key
  std::set<std::string> members_;
  std::optional<std::string> key_;
  std::optional<std::string> value_;
  std::optional<absl::Time> expire_at_;
  absl::Status status_;
};

bool SnapshotHandler::key(string_t& name) {
  input_.EndToken();
  name_ = std::move(name);
  if (place_ != Place::kSnapshot) return true;
  if (!members_.insert(name_).second) {
    return Fail(absl::StrFormat("member %s comes twice", Quoted(name_)));
  }
  return true;
}

bool SnapshotHandler::string(string_t& text) {
  switch (place_) {
    case Place::kData:
      return Pair(name_, text, absl::InfiniteFuture());
    case Place::kBinaryPair:
      if (name_ == "key_base64") return Bytes(text, &key_);
      if (name_ == "value_base64") return Bytes(text, &value_);
      return WrongType("a string");
    case Place::kSnapshot: {
      absl::Time time;
      std::string error;
      if (name_ != "timestamp") return WrongType("a string");
      if (absl::ParseTime(absl::RFC3339_full, text, &time, &error)) {
        return Enter(place_);
      }
      return Fail("'timestamp' is not a date and time");
    }
    default:
      return WrongType("a string");
  }
}

bool SnapshotHandler::number_integer(number_integer_t number) {
  if (place_ == Place::kSnapshot && name_ == "version") {
    if (number == 1) return Enter(place_);
    return Fail(absl::StrFormat("version %d; known is 1", number));
  }
  const bool is_expiry =
      place_ == Place::kExpiries ||
      (place_ == Place::kBinaryPair && name_ == "expire_at_ms");
  if (!is_expiry) return WrongType("a number");
  const absl::StatusOr<absl::Time> time = ExpiryFromMilliseconds(number);
  if (!time.ok()) return Wrong(time.status());
  if (place_ == Place::kExpiries) return Go(expiry_(name_, *time));
  if (expire_at_.has_value()) return Fail("'expire_at_ms' comes twice");
  expire_at_ = *time;
  return Enter(place_);
}

bool SnapshotHandler::Bytes(const string_t& text,
                            std::optional<std::string>* bytes) {
  if (bytes->has_value()) {
    return Fail(absl::StrFormat("%s comes twice", Quoted(name_)));
  }
  bytes->emplace();
  // Exactly as it is written: anything else was damaged on its way.
  if (absl::Base64Unescape(text, &**bytes) && Base64(**bytes) == text) {
    return Enter(place_);
  }
  return Fail(absl::StrFormat("%s is not base64", Quoted(name_)));
}

bool SnapshotHandler::Pair(std::string_view key, std::string_view value,
                           absl::Time expire_at) {
  if (const absl::Status status = CheckKey(key); !status.ok()) {
    return Wrong(status);
  }
  if (const absl::Status status = CheckValue(value); !status.ok()) {
    return Wrong(status);
  }
  return Go(visit_({key, value, expire_at}));
}

bool SnapshotHandler::EndBinaryPair() {
  if (!key_.has_value() || !value_.has_value()) {
    return Fail("a pair in 'binary' lacks 'key_base64' or 'value_base64'");
  }
  const bool goes_on =
      Pair(*key_, *value_, expire_at_.value_or(absl::InfiniteFuture()));
  key_.reset();
  value_.reset();
  expire_at_.reset();
  return goes_on && Enter(Place::kBinary);
}

}  // namespace

absl::StatusOr<std::unique_ptr<SnapshotReader>> JsonSnapshotReader::Open(
    std::istream* input, std::string_view name) {
  std::unique_ptr<JsonSnapshotReader> reader(
      new JsonSnapshotReader(input, name));
  RETURN_IF_ERROR(reader->CheckAll());
  return reader;
}

absl::Status JsonSnapshotReader::CheckAll() {
  const auto twice = [this](std::string_view key) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s: key %s comes twice", name_, Quoted(key)));
  };
  RETURN_IF_ERROR(Parse(
      [&](const Record& record) {
        return keys_.Add(record.key) ? absl::OkStatus() : twice(record.key);
      },
      [&](std::string_view key, absl::Time time) {
        return expiries_.emplace(PrintOf(key), time).second ? absl::OkStatus()
                                                            : twice(key);
      }));
  for (const auto& [print, time] : expiries_) {
    if (keys_.Contains(print)) continue;
    return absl::InvalidArgumentError(absl::StrFormat(
        "%s: 'expire_at_ms' has a key that 'data' has not", name_));
  }
  return absl::OkStatus();
}

absl::Status JsonSnapshotReader::Visit(RecordVisitor visit) {
  return Parse(
      [&](Record record) {
        const auto expiry = expiries_.find(PrintOf(record.key));
        if (expiry != expiries_.end()) record.expire_at = expiry->second;
        return visit(record);
      },
      [](std::string_view, absl::Time) { return absl::OkStatus(); });
}

absl::Status JsonSnapshotReader::Parse(RecordVisitor visit,
                                       ExpiryVisitor expiry) {
  input_.clear();
  input_.seekg(0);
  if (!input_.good()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("%s can't be read twice", name_));
  }
  TokenInput tokens(&input_);
  std::istream stream(&tokens);
  absl::Status of_visitor;
  const auto visit_record = [&](const Record& record) {
    of_visitor = visit(record);
    return of_visitor;
  };
  const auto visit_expiry = [&](std::string_view key, absl::Time time) {
    of_visitor = expiry(key, time);
    return of_visitor;
  };
  SnapshotHandler handler(&tokens, visit_record, visit_expiry);
  json::sax_parse(stream, &handler);
  if (input_.bad()) {
    return absl::InternalError(absl::StrFormat("%s, byte %d: can't be read",
                                               name_, tokens.position()));
  }
  RETURN_IF_ERROR(of_visitor);
  const absl::Status status = handler.Result();
  if (status.ok()) return status;
  return absl::InvalidArgumentError(
      absl::StrFormat("%s, %s", name_, status.message()));
}

}  // namespace stave::tool
