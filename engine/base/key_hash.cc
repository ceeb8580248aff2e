#include "engine/base/key_hash.h"

// The hash of a short key costs less than the call of a library would.
#define XXH_INLINE_ALL
#include "xxhash.h"

namespace stave {

static_assert(kHashSecretBytes >= XXH3_SECRET_SIZE_MIN);

KeyHash KeyHasher::operator()(std::string_view key) const {
  const XXH128_hash_t hash = XXH3_128bits_withSecret(
      key.data(), key.size(), secret_.data(), secret_.size());
  // A slot whose prefix is 0 was never used, so no key may have it.
  const uint64_t prefix = hash.low64 == 0 ? 1 : hash.low64;
  return KeyHash{prefix, static_cast<uint16_t>(hash.high64)};
}

}  // namespace stave
