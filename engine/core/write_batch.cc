#include "stave/write_batch.h"

namespace stave {

void WriteBatch::Put(std::string_view key, std::string_view value,
                     absl::Duration ttl) {
  Add(key, value, ttl, absl::InfiniteFuture(), /*is_delete=*/false);
}

void WriteBatch::PutUntil(std::string_view key, std::string_view value,
                          absl::Time expire_at) {
  Add(key, value, absl::InfiniteDuration(), expire_at, /*is_delete=*/false);
}

void WriteBatch::Delete(std::string_view key) {
  Add(key, {}, absl::InfiniteDuration(), absl::InfiniteFuture(),
      /*is_delete=*/true);
}

void WriteBatch::Add(std::string_view key, std::string_view value,
                     absl::Duration ttl, absl::Time expire_at, bool is_delete) {
  entries_.push_back(
      {bytes_.size(), key.size(), value.size(), ttl, expire_at, is_delete});
  bytes_.append(key);
  bytes_.append(value);
}

void WriteBatch::Clear() {
  bytes_.clear();
  entries_.clear();
}

WriteBatch::Operation WriteBatch::operation(size_t index) const {
  const Entry& entry = entries_[index];
  const std::string_view bytes(bytes_);
  return {bytes.substr(entry.key_offset, entry.key_size),
          bytes.substr(entry.key_offset + entry.key_size, entry.value_size),
          entry.ttl, entry.expire_at, entry.is_delete};
}

}  // namespace stave
