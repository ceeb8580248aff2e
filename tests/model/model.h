#ifndef STAVE_TESTS_MODEL_MODEL_H_
#define STAVE_TESTS_MODEL_MODEL_H_

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>

#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "stave/options.h"
#include "tests/model/operation.h"

namespace stave {

// What a store must be equal to: a map, and the time. May be copied, to be
// asked later what there was before an operation.
class Model {
 public:
  // So many of each are held at a time: iterators, snapshots and values.
  static constexpr size_t kMostHeld = 4;

  explicit Model(int64_t wall_ms) : wall_ms_(wall_ms) {}

  // Does the operation, and returns what a store must answer.
  Answer Apply(const Operation& operation);

  // How the store that is open compresses what is written; null: without a
  // dictionary.
  void SetCompression(const Options& options, const Dictionary* dictionary) {
    const auto compressor = std::make_shared<Compressor>(options);
    if (dictionary != nullptr) compressor->Use(*dictionary);
    compressor_ = compressor;
  }

  // All keys that have not expired and start with `prefix`.
  Contents Live(const std::string& prefix = {}) const;
  // What an open store, without iterators of earlier instants, shows in all.
  Answer Whole() const;

  // What Statistics calls so, at most: expired keys that no merge has removed
  // are among them.
  uint64_t keys() const { return values_.size(); }

  // Time never goes back in a store; the clock on the wall does.
  int64_t now_ms() const { return std::max(floor_ms_, wall_ms_); }
  int64_t wall_ms() const { return wall_ms_; }

  // What was held is gone, as after the end of a process.
  void ForgetHeld();
  // The snapshots that are held can't be asked any more, as after a close.
  void EndSnapshots();

 private:
  bool IsLive(const Held& held) const { return held.expire_at_ms > now_ms(); }
  const Held* Find(const std::string& key) const;
  void Apply(const Change& change);
  Answer CompareAndSet(const Change& change);
  Answer Increment(const Change& change);
  Answer ExpireAt(const Change& change);
  Answer GetAndExpire(const Change& change);
  int64_t MomentOf(const Change& change) const;
  void Put(const std::string& key, Held held);
  // The value stays as it is stored.
  void SetExpiry(const std::string& key, int64_t expire_at_ms);
  void Remove(const std::string& key);
  void Hold(const Operation& operation);
  void AskSnapshot(const Operation& operation, Answer* answer) const;
  void Count(Answer* answer) const;

  std::shared_ptr<const Compressor> compressor_ =
      std::make_shared<const Compressor>(Options());
  std::map<std::string, Held> values_;
  uint64_t live_bytes_ = 0;
  int64_t wall_ms_;
  int64_t floor_ms_ = 0;
  std::deque<Contents> held_iterators_;
  std::deque<std::optional<Contents>> held_snapshots_;  // nothing: it has ended
  std::deque<std::string> held_values_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_MODEL_H_
