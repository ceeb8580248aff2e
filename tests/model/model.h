#ifndef STAVE_TESTS_MODEL_MODEL_H_
#define STAVE_TESTS_MODEL_MODEL_H_

#include <algorithm>
#include <cstdint>
#include <limits>
#include <map>
#include <string>

namespace stave {

// What a store must be equal to: a map, and the time.
class Model {
 public:
  using Contents = std::map<std::string, std::string>;

  static constexpr int64_t kNever = std::numeric_limits<int64_t>::max();

  void Put(const std::string& key, const std::string& value,
           int64_t expire_at_ms = kNever) {
    Remove(key);
    live_bytes_ += RecordSize(key, value, expire_at_ms);
    values_[key] = {value, expire_at_ms};
  }

  // Returns whether there was one that had not expired.
  bool Delete(const std::string& key) {
    const bool existed = Find(key) != nullptr;
    Remove(key);
    return existed;
  }

  // Null if the key is absent or expired.
  const std::string* Find(const std::string& key) const {
    const auto found = values_.find(key);
    if (found == values_.end() || found->second.expire_at_ms <= now_ms()) {
      return nullptr;
    }
    return &found->second.bytes;
  }

  // All keys that have not expired.
  Contents Live() const {
    Contents live;
    for (const auto& [key, value] : values_) {
      if (value.expire_at_ms > now_ms()) live.emplace(key, value.bytes);
    }
    return live;
  }

  // What Statistics calls so: expired keys that nobody has met are among them.
  uint64_t keys() const { return values_.size(); }
  uint64_t live_bytes() const { return live_bytes_; }

  // Time never goes back in a store; the clock on the wall does.
  int64_t now_ms() const { return std::max(floor_ms_, wall_ms_); }
  int64_t wall_ms() const { return wall_ms_; }
  void SetWall(int64_t wall_ms) { wall_ms_ = wall_ms; }
  // A clean close remembers what time it is.
  void RememberTime() { floor_ms_ = now_ms(); }

 private:
  struct Value {
    std::string bytes;
    int64_t expire_at_ms = kNever;
  };

  // FORMAT.md: a header of 24 bytes, 32 with an expiry, padding to 8.
  static uint64_t RecordSize(const std::string& key, const std::string& value,
                             int64_t expire_at_ms) {
    const uint64_t header = expire_at_ms == kNever ? 24 : 32;
    return (header + key.size() + value.size() + 7) / 8 * 8;
  }
  void Remove(const std::string& key) {
    const auto found = values_.find(key);
    if (found == values_.end()) return;
    live_bytes_ -=
        RecordSize(key, found->second.bytes, found->second.expire_at_ms);
    values_.erase(found);
  }

  std::map<std::string, Value> values_;
  uint64_t live_bytes_ = 0;
  int64_t wall_ms_ = 0;
  int64_t floor_ms_ = 0;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_MODEL_H_
