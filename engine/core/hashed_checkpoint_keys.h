#ifndef STAVE_ENGINE_CORE_HASHED_CHECKPOINT_KEYS_H_
#define STAVE_ENGINE_CORE_HASHED_CHECKPOINT_KEYS_H_

#include <cstdint>
#include <string_view>

#include "absl/types/span.h"
#include "engine/format/checkpoint.h"
#include "engine/index/keydir.h"

namespace stave {

// A checkpoint of hashes has keys as the keydir copies them.
static_assert(sizeof(KeydirSlot) == kCheckpointKeyBytes);

// Keys that are copied and written, or read and restored, in one go, while a
// cache holds them.
inline constexpr uint64_t kKeysPerStretch = 16384;

inline std::string_view BytesOf(absl::Span<const KeydirSlot> slots) {
  return std::string_view(reinterpret_cast<const char*>(slots.data()),
                          slots.size() * sizeof(KeydirSlot));
}

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_HASHED_CHECKPOINT_KEYS_H_
