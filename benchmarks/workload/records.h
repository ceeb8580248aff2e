#ifndef STAVE_BENCHMARKS_WORKLOAD_RECORDS_H_
#define STAVE_BENCHMARKS_WORKLOAD_RECORDS_H_

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace stave::bench {

// The keys of all workloads: 16 hexadecimal digits, in the order of their
// indexes. Between two keys that are written there is one that never is.
class Key {
 public:
  static constexpr size_t kBytes = 16;

  explicit Key(uint64_t index) { Write(2 * index); }
  static Key Absent(uint64_t index) {
    Key key(0);
    key.Write(2 * index + 1);
    return key;
  }

  std::string_view view() const { return {bytes_, kBytes}; }

 private:
  void Write(uint64_t number);

  char bytes_[kBytes];
};

// The index of a key that is written; nullopt if these bytes are none.
std::optional<uint64_t> IndexOf(std::string_view key);

// The values, all of one size, of bytes that can't be compressed. Each can be
// told to be its key's, whole and unchanged, by itself: from 16 bytes on
// it begins with the index of its key and with its version, and what follows
// depends on both. Immutable.
class Values {
 public:
  explicit Values(size_t value_bytes);

  size_t value_bytes() const { return value_bytes_; }
  // Into *value, whose memory is used again.
  void Make(uint64_t index, uint32_t version, std::string* value) const;
  // Looks at every byte.
  bool IsOf(uint64_t index, std::string_view value) const;

 private:
  // The bytes that a value has behind its header, if it has one.
  const char* BytesOf(uint64_t index, uint32_t version) const;

  const size_t value_bytes_;
  const size_t header_bytes_;
  const std::string pool_;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_RECORDS_H_
