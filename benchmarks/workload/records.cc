#include "benchmarks/workload/records.h"

#include <array>
#include <cstring>
#include <random>

namespace stave::bench {
namespace {

// Small enough to stay in the processor's first cache beside a store's data.
constexpr size_t kOffsets = 4096;
constexpr size_t kHeaderBytes = sizeof(uint64_t) + sizeof(uint32_t);
// With some bytes behind it that its version can be told from.
constexpr size_t kLeastWithHeader = kHeaderBytes + 4;

// The two digits of each byte.
constexpr std::array<std::array<char, 2>, 256> kPairs = [] {
  std::array<std::array<char, 2>, 256> pairs{};
  for (size_t i = 0; i < pairs.size(); ++i) {
    pairs[i] = {"0123456789abcdef"[i / 16], "0123456789abcdef"[i % 16]};
  }
  return pairs;
}();

std::string RandomBytes(size_t count) {
  std::mt19937_64 random(20261121);
  std::string bytes(count, '\0');
  for (char& byte : bytes) byte = static_cast<char>(random());
  return bytes;
}

// What each byte stands for as a digit; kNoDigit: it is none.
constexpr uint8_t kNoDigit = 0x80;
constexpr std::array<uint8_t, 256> kDigits = [] {
  std::array<uint8_t, 256> digits{};
  digits.fill(kNoDigit);
  for (uint8_t i = 0; i < 10; ++i) digits['0' + i] = i;
  for (uint8_t i = 0; i < 6; ++i) digits['a' + i] = 10 + i;
  return digits;
}();

}  // namespace

void Key::Write(uint64_t number) {
  for (size_t i = 0; i < kBytes; i += 2, number <<= 8) {
    std::memcpy(bytes_ + i, kPairs[number >> 56].data(), 2);
  }
}

std::optional<uint64_t> IndexOf(std::string_view key) {
  if (key.size() != Key::kBytes) return std::nullopt;
  uint64_t number = 0;
  uint8_t seen = 0;
  for (const char c : key) {
    const uint8_t digit = kDigits[static_cast<uint8_t>(c)];
    seen |= digit;
    number = number << 4 | digit;
  }
  if ((seen & kNoDigit) != 0 || number % 2 != 0) return std::nullopt;
  return number / 2;
}

Values::Values(size_t value_bytes)
    : value_bytes_(value_bytes),
      header_bytes_(value_bytes < kLeastWithHeader ? 0 : kHeaderBytes),
      pool_(RandomBytes(kOffsets + value_bytes)) {}

const char* Values::BytesOf(uint64_t index, uint32_t version) const {
  const uint64_t mixed = (index + version) * 0x9E3779B97F4A7C15u;
  return pool_.data() + (mixed >> 32) % kOffsets;
}

void Values::Make(uint64_t index, uint32_t version, std::string* value) const {
  if (header_bytes_ == 0) version = 0;
  value->resize(value_bytes_);
  char* const to = value->data();
  if (header_bytes_ > 0) {
    std::memcpy(to, &index, sizeof(index));
    std::memcpy(to + sizeof(index), &version, sizeof(version));
  }
  std::memcpy(to + header_bytes_, BytesOf(index, version),
              value_bytes_ - header_bytes_);
}

bool Values::IsOf(uint64_t index, std::string_view value) const {
  if (value.size() != value_bytes_) return false;
  uint32_t version = 0;
  if (header_bytes_ > 0) {
    if (std::memcmp(value.data(), &index, sizeof(index)) != 0) return false;
    std::memcpy(&version, value.data() + sizeof(index), sizeof(version));
  }
  return std::memcmp(value.data() + header_bytes_, BytesOf(index, version),
                     value_bytes_ - header_bytes_) == 0;
}

}  // namespace stave::bench
