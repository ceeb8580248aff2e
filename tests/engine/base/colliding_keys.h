#ifndef STAVE_TESTS_ENGINE_BASE_COLLIDING_KEYS_H_
#define STAVE_TESTS_ENGINE_BASE_COLLIDING_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stave {

// Keys that an attacker would send: `count` of them that are all one to the
// hash h = 31 h + byte, whatever it begins with, since "Aa" and "BB" are.
inline std::vector<std::string> CollidingKeys(size_t count) {
  std::vector<std::string> keys;
  keys.reserve(count);
  constexpr size_t kPairs = 20;
  for (uint64_t number = 0; number < count; ++number) {
    std::string key;
    for (size_t pair = 0; pair < kPairs; ++pair) {
      key += (number >> pair & 1) != 0 ? "Aa" : "BB";
    }
    keys.push_back(key);
  }
  return keys;
}

// `count` keys in the part 2^-bits of all hashes that `hash`, one with a
// secret that everybody knows, begins: that of one page of a table. Takes
// count * 2^bits calls of it.
template <typename Hash>
std::vector<std::string> KeysOfOnePage(size_t count, int bits,
                                       const Hash& hash) {
  std::vector<std::string> keys;
  keys.reserve(count);
  std::string key(8, '\0');
  for (uint64_t number = 0; keys.size() < count; ++number) {
    for (size_t i = 0; i < key.size(); ++i) {
      key[i] = static_cast<char>('A' + (number >> (4 * i) & 15));
    }
    if (hash(key).prefix >> (64 - bits) == 0) keys.push_back(key);
  }
  return keys;
}

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_BASE_COLLIDING_KEYS_H_
