#ifndef STAVE_TESTS_ENGINE_INDEX_KEYDIR_VOCABULARY_H_
#define STAVE_TESTS_ENGINE_INDEX_KEYDIR_VOCABULARY_H_

#include <cstdint>

#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/index/keydir.h"

namespace stave {

// A bijection that spreads numbers as evenly as a hash does (splitmix64).
inline uint64_t Scramble(uint64_t number) {
  number += 0x9e3779b97f4a7c15;
  number = (number ^ number >> 30) * 0xbf58476d1ce4e5b9;
  number = (number ^ number >> 27) * 0x94d049bb133111eb;
  return number ^ number >> 31;
}

// The hash keydir looks at a key's hash alone.
inline KeyRef KeyOf(uint64_t prefix, uint16_t tag) {
  return KeyRef{{}, KeyHash{prefix == 0 ? 1 : prefix, tag}};
}

// The key with this number: all different, spread over the whole keydir.
inline KeyRef Key(uint64_t number) {
  return KeyOf(Scramble(number), static_cast<uint16_t>(Scramble(~number)));
}

// Entries that differ if their numbers, at least 1, do.
inline KeydirEntry Entry(uint64_t number) {
  return KeydirEntry::Live(Location{number}, 64, false);
}

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_INDEX_KEYDIR_VOCABULARY_H_
