#ifndef STAVE_ENGINE_BASE_RANDOM_BITS_H_
#define STAVE_ENGINE_BASE_RANDOM_BITS_H_

#include <unistd.h>

#include <cstdint>
#include <random>

namespace stave {

// 64 bits that nobody can foretell, from the operating system.
inline uint64_t RandomBits() {
  uint64_t bits = 0;
  if (getentropy(&bits, sizeof(bits)) == 0) return bits;
  // The processor's own source, which some make wait for microseconds.
  std::random_device device;
  return uint64_t{device()} << 32 | device();
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_RANDOM_BITS_H_
