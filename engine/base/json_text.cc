#include "engine/base/json_text.h"

#include <cstddef>

#include "absl/strings/escaping.h"
#include "absl/strings/str_format.h"
#include "absl/strings/string_view.h"
#include "engine/base/utf8.h"

namespace stave {
namespace {

bool IsPlainAscii(char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '"' && byte != '\\';
}

// How many bytes at the front stand for themselves.
size_t PlainPrefix(std::string_view text) {
  size_t size = 0;
  while (size < text.size()) {
    if (IsPlainAscii(text[size])) {
      ++size;
      continue;
    }
    const size_t length = Utf8SequenceLength(text.substr(size));
    if (length < 2 || IsControlCharacter(text.substr(size, length))) break;
    size += length;
  }
  return size;
}

void AppendEscape(std::string_view sequence, std::string* json) {
  switch (sequence.front()) {
    case '"':
      json->append("\\\"");
      return;
    case '\\':
      json->append("\\\\");
      return;
    case '\n':
      json->append("\\n");
      return;
    case '\t':
      json->append("\\t");
      return;
    case '\r':
      json->append("\\r");
      return;
    default:
      // One byte is its own code point; so is the second of the two bytes
      // that control characters from U+0080 on have.
      const auto code_point = static_cast<unsigned char>(sequence.back());
      absl::StrAppendFormat(json, "\\u%04x", code_point);
  }
}

}  // namespace

void AppendJsonEscaped(std::string_view text, std::string* json) {
  while (true) {
    const size_t plain = PlainPrefix(text);
    json->append(text.substr(0, plain));
    text.remove_prefix(plain);
    if (text.empty()) break;
    const size_t length = Utf8SequenceLength(text);
    AppendEscape(text.substr(0, length), json);
    text.remove_prefix(length);
  }
}

void AppendJsonString(std::string_view text, std::string* json) {
  json->push_back('"');
  AppendJsonEscaped(text, json);
  json->push_back('"');
}

std::string Base64(std::string_view bytes) {
  return absl::Base64Escape(absl::string_view(bytes.data(), bytes.size()));
}

void AppendJsonBytes(std::string_view name, std::string_view bytes,
                     std::string* json) {
  if (IsUtf8(bytes)) {
    absl::StrAppendFormat(json, "\"%s\":", name);
    AppendJsonString(bytes, json);
  } else {
    absl::StrAppendFormat(json, "\"%s_base64\":\"%s\"", name, Base64(bytes));
  }
}

}  // namespace stave
