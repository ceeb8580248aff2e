#ifndef STAVE_ENGINE_BASE_CODING_H_
#define STAVE_ENGINE_BASE_CODING_H_

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

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_CODING_H_
