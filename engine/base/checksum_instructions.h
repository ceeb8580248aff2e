#ifndef STAVE_ENGINE_BASE_CHECKSUM_INSTRUCTIONS_H_
#define STAVE_ENGINE_BASE_CHECKSUM_INSTRUCTIONS_H_

#include <cstdint>

// The instructions behind ExtendCrc32cByInstructions:
//   ExtendState    the state of a checksum after one more word
//   Multiply       the lower 64 bits of the product of two polynomials
// Functions that use them, and only they, are marked STAVE_CRC32C_TARGET, which
// is not defined for processors of other kinds.

#if defined(__x86_64__)

#include <nmmintrin.h>
#include <wmmintrin.h>

#define STAVE_CRC32C_TARGET __attribute__((target("sse4.2,pclmul")))

namespace stave::internal {

inline bool ProcessorHasInstructions() {
  return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("pclmul");
}

STAVE_CRC32C_TARGET inline uint64_t ExtendState(uint64_t state, uint64_t word) {
  return _mm_crc32_u64(state, word);
}

STAVE_CRC32C_TARGET inline uint64_t Multiply(uint64_t a, uint64_t b) {
  const __m128i product =
      _mm_clmulepi64_si128(_mm_cvtsi64_si128(static_cast<int64_t>(a)),
                           _mm_cvtsi64_si128(static_cast<int64_t>(b)), 0);
  return static_cast<uint64_t>(_mm_cvtsi128_si64(product));
}

}  // namespace stave::internal

#elif defined(__aarch64__)

#include <sys/auxv.h>

// Assembler needs no attribute. It is used since compilers differ in how, and
// whether, they let single functions have these instructions.
#define STAVE_CRC32C_TARGET

namespace stave::internal {

inline bool ProcessorHasInstructions() {
  constexpr unsigned long kNeeded = HWCAP_CRC32 | HWCAP_PMULL;
  return (getauxval(AT_HWCAP) & kNeeded) == kNeeded;
}

inline uint64_t ExtendState(uint64_t state, uint64_t word) {
  uint32_t result;
  asm(".arch_extension crc\n\t"
      "crc32cx %w0, %w1, %x2"
      : "=r"(result)
      : "r"(static_cast<uint32_t>(state)), "r"(word));
  return result;
}

inline uint64_t Multiply(uint64_t a, uint64_t b) {
  uint64_t result;
  asm(".arch_extension aes\n\t"
      "fmov d0, %1\n\t"
      "fmov d1, %2\n\t"
      "pmull v0.1q, v0.1d, v1.1d\n\t"
      "fmov %0, d0"
      : "=r"(result)
      : "r"(a), "r"(b)
      : "v0", "v1");
  return result;
}

}  // namespace stave::internal

#endif

#endif  // STAVE_ENGINE_BASE_CHECKSUM_INSTRUCTIONS_H_
