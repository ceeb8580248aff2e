#include "tools/stave/escape.h"

#include <cstddef>
#include <optional>

#include "absl/strings/ascii.h"
#include "absl/strings/str_format.h"
#include "engine/base/utf8.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr size_t kQuotedBytes = 100;

bool IsPlainAscii(char byte) {
  return byte >= 0x20 && byte < 0x7f && byte != '\\';
}

// How many bytes at the front stand for themselves.
size_t PlainPrefix(std::string_view bytes) {
  size_t size = 0;
  while (size < bytes.size()) {
    if (IsPlainAscii(bytes[size])) {
      ++size;
      continue;
    }
    const size_t length = Utf8SequenceLength(bytes.substr(size));
    if (length < 2 || IsControlCharacter(bytes.substr(size, length))) break;
    size += length;
  }
  return size;
}

void AppendEscapedByte(char byte, std::string* line) {
  switch (byte) {
    case '\n':
      line->append("\\n");
      return;
    case '\t':
      line->append("\\t");
      return;
    case '\r':
      line->append("\\r");
      return;
    case '\\':
      line->append("\\\\");
      return;
    default:
      static constexpr char kDigits[] = "0123456789abcdef";
      const auto value = static_cast<unsigned char>(byte);
      line->append({'\\', 'x', kDigits[value >> 4], kDigits[value & 15]});
  }
}

std::optional<int> HexDigit(char digit) {
  if (digit >= '0' && digit <= '9') return digit - '0';
  const char lower = absl::ascii_tolower(static_cast<unsigned char>(digit));
  if (lower >= 'a' && lower <= 'f') return lower - 'a' + 10;
  return std::nullopt;
}

// The byte that "\xHH" at the front of `text` stands for.
std::optional<char> HexByte(std::string_view text) {
  if (text.size() < 4) return std::nullopt;
  const std::optional<int> high = HexDigit(text[2]);
  const std::optional<int> low = HexDigit(text[3]);
  if (!high.has_value() || !low.has_value()) return std::nullopt;
  return static_cast<char>(*high << 4 | *low);
}

// Takes the escape at the front of `*text`, appends what it stands for.
absl::Status TakeEscape(std::string_view* text, std::string* bytes) {
  std::optional<char> byte;
  size_t length = 2;
  switch (text->size() < 2 ? '\0' : (*text)[1]) {
    case 'n':
      byte = '\n';
      break;
    case 't':
      byte = '\t';
      break;
    case 'r':
      byte = '\r';
      break;
    case '\\':
      byte = '\\';
      break;
    case 'x':
      byte = HexByte(*text);
      length = 4;
      break;
    default:
      break;
  }
  if (!byte.has_value()) {
    return absl::InvalidArgumentError(
        absl::StrFormat("bad escape '%s'; there are \\n \\t \\r \\\\ and \\xHH",
                        "\\" + Escaped(text->substr(1, length - 1))));
  }
  bytes->push_back(*byte);
  text->remove_prefix(length);
  return absl::OkStatus();
}

}  // namespace

void AppendEscaped(std::string_view bytes, std::string* line) {
  while (true) {
    const size_t plain = PlainPrefix(bytes);
    line->append(bytes.substr(0, plain));
    bytes.remove_prefix(plain);
    if (bytes.empty()) return;
    // Of a sequence that is escaped this is the first byte; the others are no
    // sequence by themselves, so they follow.
    AppendEscapedByte(bytes.front(), line);
    bytes.remove_prefix(1);
  }
}

std::string Escaped(std::string_view bytes) {
  std::string line;
  AppendEscaped(bytes, &line);
  return line;
}

std::string Quoted(std::string_view key) {
  const bool cut = key.size() > kQuotedBytes;
  return absl::StrFormat("'%s%s'", Escaped(key.substr(0, kQuotedBytes)),
                         cut ? "..." : "");
}

absl::Status Unescape(std::string_view text, std::string* bytes) {
  bytes->clear();
  while (true) {
    const size_t backslash = text.find('\\');
    bytes->append(text.substr(0, backslash));
    if (backslash == std::string_view::npos) return absl::OkStatus();
    text.remove_prefix(backslash);
    RETURN_IF_ERROR(TakeEscape(&text, bytes));
  }
}

}  // namespace stave::tool
