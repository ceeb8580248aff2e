#ifndef STAVE_ENGINE_BASE_CODING_H_
#define STAVE_ENGINE_BASE_CODING_H_

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>
#include <type_traits>

namespace stave {

static_assert(__BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__,
              "integers on disk are little-endian, and so is memory here");

// Integers at any address, little-endian as all of stave's formats.
template <typename Integer>
Integer DecodeFixed(const char* from) {
  static_assert(std::is_integral_v<Integer>);
  Integer value;
  std::memcpy(&value, from, sizeof(value));
  return value;
}

template <typename Integer>
void EncodeFixed(Integer value, char* to) {
  static_assert(std::is_integral_v<Integer>);
  std::memcpy(to, &value, sizeof(value));
}

template <typename Integer>
void AppendFixed(Integer value, std::string* to) {
  static_assert(std::is_integral_v<Integer>);
  to->append(reinterpret_cast<const char*>(&value), sizeof(value));
}

// Takes an integer from the front of `*from`; false, and nothing taken, when
// that is too short.
template <typename Integer>
bool ConsumeFixed(std::string_view* from, Integer* value) {
  if (from->size() < sizeof(Integer)) return false;
  *value = DecodeFixed<Integer>(from->data());
  from->remove_prefix(sizeof(Integer));
  return true;
}

inline bool AllZero(std::string_view bytes) {
  if (bytes.empty()) return true;
  // Each byte equals its neighbour, and the first one is zero.
  return bytes[0] == '\0' &&
         std::memcmp(bytes.data(), bytes.data() + 1, bytes.size() - 1) == 0;
}

// Of preallocated space there may be much, so it is passed over by blocks.
inline size_t SizeWithoutZerosAtEnd(std::string_view bytes) {
  constexpr size_t kBlockBytes = 4096;
  while (bytes.size() >= kBlockBytes &&
         AllZero(bytes.substr(bytes.size() - kBlockBytes))) {
    bytes.remove_suffix(kBlockBytes);
  }
  return bytes.find_last_not_of('\0') + 1;
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_CODING_H_
