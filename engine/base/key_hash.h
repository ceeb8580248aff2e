#ifndef STAVE_ENGINE_BASE_KEY_HASH_H_
#define STAVE_ENGINE_BASE_KEY_HASH_H_

#include <array>
#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

namespace stave {

// Eighty bits of a keyed 128-bit hash. Keys whose eighty bits agree are the
// same key to the keydir; readers compare the bytes.
struct KeyHash {
  uint64_t prefix = 0;  // never 0
  uint16_t tag = 0;

  friend bool operator==(const KeyHash&, const KeyHash&) = default;
  template <typename H>
  friend H AbslHashValue(H hash, const KeyHash& key) {
    return H::combine(std::move(hash), key.prefix);
  }
};

// Random bytes of the store's own, kept in its manifest: without them nobody
// can choose keys that collide.
inline constexpr size_t kHashSecretBytes = 192;
using HashSecret = std::array<char, kHashSecretBytes>;

// XXH3_128 with a secret. Immutable, so thread-safe.
class KeyHasher {
 public:
  explicit KeyHasher(const HashSecret& secret) : secret_(secret) {}

  KeyHash operator()(std::string_view key) const;

 private:
  HashSecret secret_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_KEY_HASH_H_
