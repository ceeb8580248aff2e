#ifndef STAVE_ENGINE_CORE_READ_SET_H_
#define STAVE_ENGINE_CORE_READ_SET_H_

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/container/flat_hash_map.h"
#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "engine/base/key_hash.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/core/state.h"
#include "engine/format/record.h"
#include "engine/index/keydir.h"
#include "engine/index/version_overlay.h"

namespace stave {

// What a transaction has read at its instant, and whether all of that is the
// same now. The overlay knows every key that has changed since: so nothing but
// the keys' names has to be remembered, and a key that nobody has changed costs
// one look.
//
// A change counts if the key was there then or is there now; but not the
// removal of what has expired.
//
// Thread-compatible.
class ReadSet {
 public:
  explicit ReadSet(std::shared_ptr<const Instant> instant)
      : instant_(std::move(instant)) {}

  void AddKey(std::string_view key);
  void AddRange(KeyRange range) { ranges_.push_back(std::move(range)); }
  bool has_ranges() const { return !ranges_.empty(); }

  // Aborted, naming a key, if one of the keys has changed. Call with the log's
  // append lock held, so that it remains true until something is published.
  absl::Status CheckKeys() const;
  // The same of all keys in the ranges and of changes after `begin`, and before
  // `end` if that is not null.
  absl::Status CheckRanges(const Instant& begin, const Instant* end) const;

 private:
  // The entry, then or now, of what the transaction would have read otherwise;
  // absent if it would have read the same.
  KeydirEntry Missed(const VersionOverlay::Past& then, KeydirEntry now) const;
  bool IsLive(KeydirEntry entry,
              absl::FunctionRef<bool(const RecordHeader&)> has_expired) const;
  absl::Status CheckChange(const VersionOverlay::Past& then,
                           KeydirEntry now) const;

  // Of a keydir with an order: nothing but changes in the ranges is looked at.
  absl::Status CheckRangesInOrder(const Instant& begin) const;

  const std::shared_ptr<const Instant> instant_;
  absl::flat_hash_map<KeyHash, std::string> keys_;
  std::vector<KeyRange> ranges_;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_READ_SET_H_
