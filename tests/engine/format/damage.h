#ifndef STAVE_TESTS_ENGINE_FORMAT_DAMAGE_H_
#define STAVE_TESTS_ENGINE_FORMAT_DAMAGE_H_

#include <cstddef>
#include <functional>
#include <random>
#include <string>
#include <string_view>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace stave {

using CheckBytes = std::function<void(const std::string& damaged)>;

// Calls `check` with each copy of `bytes` in which one bit is wrong.
inline void ForEachFlippedBit(std::string_view bytes, const CheckBytes& check) {
  std::string damaged(bytes);
  for (size_t bit = 0; bit < bytes.size() * 8; ++bit) {
    SCOPED_TRACE(absl::StrCat("byte ", bit / 8, ", bit ", bit % 8));
    const char flipped = static_cast<char>(1 << (bit % 8));
    damaged[bit / 8] = static_cast<char>(damaged[bit / 8] ^ flipped);
    check(damaged);
    damaged[bit / 8] = bytes[bit / 8];
  }
}

// Calls `check` with each beginning of `bytes` that is not all of it.
inline void ForEachTruncation(std::string_view bytes, const CheckBytes& check) {
  for (size_t size = 0; size < bytes.size(); ++size) {
    SCOPED_TRACE(absl::StrCat("cut to ", size, " bytes"));
    check(std::string(bytes.substr(0, size)));
  }
}

// Calls `check` with `count` strings of random bytes of up to `size_max`
// bytes, the same ones each time.
inline void ForEachRandomString(int count, size_t size_max,
                                const CheckBytes& check) {
  constexpr unsigned kSeed = 20;
  std::mt19937 random(kSeed);
  for (int i = 0; i < count; ++i) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", string ", i));
    std::string bytes(random() % (size_max + 1), '\0');
    for (char& byte : bytes) byte = static_cast<char>(random());
    check(bytes);
  }
}

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FORMAT_DAMAGE_H_
