#ifndef STAVE_ENGINE_BASE_CHECKSUM_H_
#define STAVE_ENGINE_BASE_CHECKSUM_H_

#include <cstddef>
#include <cstdint>
#include <string_view>

namespace stave {

// CRC-32C (Castagnoli, RFC 3720), by the processor's instructions where it has
// them (x86-64: SSE4.2 and PCLMULQDQ; ARMv8: CRC32 and PMULL; told at run
// time), else by tables.
//
// Crc32c("123456789") == 0xE3069283, and
// ExtendCrc32c(Crc32c(a), b) == Crc32c(a + b).
//
// It finds damage; it is no protection against somebody who forges bytes.
uint32_t ExtendCrc32c(uint32_t crc, std::string_view bytes);

inline uint32_t Crc32c(std::string_view bytes) {
  return ExtendCrc32c(0, bytes);
}

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_CHECKSUM_H_
