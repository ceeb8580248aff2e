#ifndef STAVE_ENGINE_BASE_CHECKSUM_INTERNAL_H_
#define STAVE_ENGINE_BASE_CHECKSUM_INTERNAL_H_

#include <cstdint>
#include <string_view>

namespace stave::internal {

// The implementations that ExtendCrc32c chooses from, here for its tests and
// benchmarks alone. Both give the same answers.

// Tables, eight bytes a step; for every processor.
uint32_t ExtendCrc32cByTables(uint32_t crc, std::string_view bytes);

// Whether this processor can run ExtendCrc32cByInstructions.
bool HasCrc32cInstructions();

uint32_t ExtendCrc32cByInstructions(uint32_t crc, std::string_view bytes);

}  // namespace stave::internal

#endif  // STAVE_ENGINE_BASE_CHECKSUM_INTERNAL_H_
