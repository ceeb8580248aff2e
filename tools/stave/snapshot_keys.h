#ifndef STAVE_TOOLS_STAVE_SNAPSHOT_KEYS_H_
#define STAVE_TOOLS_STAVE_SNAPSHOT_KEYS_H_

#include <cstddef>
#include <cstdint>
#include <string_view>
#include <utility>

#include "absl/container/flat_hash_set.h"
#include "absl/hash/hash.h"
#include "absl/strings/string_view.h"

namespace stave::tool {

// 128 bits in place of a key. That two of 10^9 keys have the same is less
// likely than 10^-20.
using KeyPrint = std::pair<uint64_t, uint64_t>;

inline KeyPrint PrintOf(std::string_view key) {
  const absl::string_view bytes(key.data(), key.size());
  return {absl::HashOf(bytes, 1), absl::HashOf(2, bytes)};
}

// The keys that a snapshot has so far. Thread-compatible.
class SnapshotKeys {
 public:
  // False: it is there already.
  bool Add(std::string_view key) { return prints_.insert(PrintOf(key)).second; }
  bool Contains(std::string_view key) const { return Contains(PrintOf(key)); }
  bool Contains(const KeyPrint& print) const { return prints_.contains(print); }
  size_t size() const { return prints_.size(); }

 private:
  absl::flat_hash_set<KeyPrint> prints_;
};

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_SNAPSHOT_KEYS_H_
