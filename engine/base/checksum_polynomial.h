#ifndef STAVE_ENGINE_BASE_CHECKSUM_POLYNOMIAL_H_
#define STAVE_ENGINE_BASE_CHECKSUM_POLYNOMIAL_H_

#include <cstdint>

namespace stave::internal {

// A polynomial over GF(2) of degree below 32, bit-reversed as CRC-32C has it:
// bit i is the coefficient of x^(31 - i). The CRC of a string is such a
// polynomial, taken modulo this one (without its leading x^32).
inline constexpr uint32_t kCastagnoliPolynomial = 0x82f63b78;

// Returns `polynomial` * x^`power`, modulo the Castagnoli polynomial.
constexpr uint32_t MultiplyByPowerOfX(uint32_t polynomial, int power) {
  for (int i = 0; i < power; ++i) {
    const bool overflows = (polynomial & 1) != 0;
    polynomial = (polynomial >> 1) ^ (overflows ? kCastagnoliPolynomial : 0);
  }
  return polynomial;
}

}  // namespace stave::internal

#endif  // STAVE_ENGINE_BASE_CHECKSUM_POLYNOMIAL_H_
