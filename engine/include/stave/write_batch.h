#ifndef STAVE_WRITE_BATCH_H_
#define STAVE_WRITE_BATCH_H_

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "absl/time/time.h"

namespace stave {

// Puts and deletes that Store::Write applies all together or not at all, in
// the order in which they were added: of several with the same key the last
// one counts. Keeps copies of keys and values. Thread-compatible.
//
//   stave::WriteBatch batch;
//   batch.Put("user:1", "Alice");
//   batch.Delete("user:2");
//   absl::Status status = store->Write(batch);
class WriteBatch {
 public:
  // `ttl` as in WriteOptions; limits are checked by Store::Write.
  void Put(std::string_view key, std::string_view value,
           absl::Duration ttl = absl::InfiniteDuration());
  // Expires at a point in time, as WriteOptions::expire_at.
  void PutUntil(std::string_view key, std::string_view value,
                absl::Time expire_at);
  void Delete(std::string_view key);
  void Clear();

  // Operations, not distinct keys.
  size_t size() const { return entries_.size(); }
  // Bytes of keys and values.
  size_t byte_size() const { return bytes_.size(); }

  struct Operation {
    std::string_view key;
    std::string_view value;
    absl::Duration ttl;
    absl::Time expire_at;
    bool is_delete;
  };
  // The operation that was added as number `index`. Its views live until the
  // batch is changed.
  Operation operation(size_t index) const;

 private:
  struct Entry {
    size_t key_offset;
    size_t key_size;
    size_t value_size;
    absl::Duration ttl;
    absl::Time expire_at;
    bool is_delete;
  };

  void Add(std::string_view key, std::string_view value, absl::Duration ttl,
           absl::Time expire_at, bool is_delete);

  std::string bytes_;  // of all keys and values, one after another
  std::vector<Entry> entries_;
};

}  // namespace stave

#endif  // STAVE_WRITE_BATCH_H_
