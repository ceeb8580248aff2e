#include "engine/base/utf8.h"

#include <cstdint>

namespace stave {
namespace {

// What may follow a first byte: the sequence's length, and the range of the
// second byte, which leaves out overlong forms, surrogates and what is beyond
// U+10FFFF.
struct Lead {
  size_t length;
  uint8_t second_least;
  uint8_t second_greatest;
};

Lead LeadOf(uint8_t byte) {
  if (byte < 0xc2) return {0, 0, 0};
  if (byte < 0xe0) return {2, 0x80, 0xbf};
  if (byte == 0xe0) return {3, 0xa0, 0xbf};
  if (byte == 0xed) return {3, 0x80, 0x9f};
  if (byte < 0xf0) return {3, 0x80, 0xbf};
  if (byte == 0xf0) return {4, 0x90, 0xbf};
  if (byte < 0xf4) return {4, 0x80, 0xbf};
  if (byte == 0xf4) return {4, 0x80, 0x8f};
  return {0, 0, 0};
}

uint8_t ByteAt(std::string_view bytes, size_t index) {
  return static_cast<uint8_t>(bytes[index]);
}

// Of a sequence, each byte but the first.
bool IsContinuation(uint8_t byte) { return (byte & 0xc0) == 0x80; }

}  // namespace

size_t Utf8SequenceLength(std::string_view bytes) {
  if (bytes.empty()) return 0;
  if (ByteAt(bytes, 0) < 0x80) return 1;
  const Lead lead = LeadOf(ByteAt(bytes, 0));
  if (lead.length == 0 || bytes.size() < lead.length) return 0;
  const uint8_t second = ByteAt(bytes, 1);
  if (second < lead.second_least || second > lead.second_greatest) return 0;
  for (size_t i = 2; i < lead.length; ++i) {
    if (!IsContinuation(ByteAt(bytes, i))) return 0;
  }
  return lead.length;
}

bool IsUtf8(std::string_view bytes) {
  while (!bytes.empty()) {
    const size_t length = Utf8SequenceLength(bytes);
    if (length == 0) return false;
    bytes.remove_prefix(length);
  }
  return true;
}

std::string_view Utf8Prefix(std::string_view text, size_t most) {
  if (text.size() <= most) return text;
  while (IsContinuation(ByteAt(text, most))) --most;
  return text.substr(0, most);
}

bool IsControlCharacter(std::string_view sequence) {
  const uint8_t first = ByteAt(sequence, 0);
  if (sequence.size() == 1) return first < 0x20 || first == 0x7f;
  return first == 0xc2 && ByteAt(sequence, 1) < 0xa0;
}

}  // namespace stave
