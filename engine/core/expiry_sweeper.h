#ifndef STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_
#define STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/core/state.h"
#include "engine/index/keydir.h"
#include "engine/log/log.h"
#include "engine/log/segment.h"

namespace stave {

// A key whose record has expired: the entry that it had then, and all else that
// its removal takes, so that nothing has to be read for that.
struct ExpiredKey {
  KeyHash hash;
  KeydirEntry entry;
  uint64_t size;    // of the record
  std::string key;  // only if the keydir has an order
};

ExpiredKey MakeExpiredKey(const State& state, const KeyRef& key,
                          KeydirEntry entry, uint64_t record_size);

// Removes those keys from the keydir that still have these entries, and counts
// their records as dead. That time has come this far is durable, or will be
// before anything depends on it (I12). Lets writers in between.
void RemoveExpired(State* state, Log* log, absl::Span<const ExpiredKey> keys);

// Removes keys that have expired, so that their records are dead to merges,
// though nobody asks for them.
//
// Each segment knows a time before which there is no reason to look at it
// (Segment::next_expiry_ms). Then it is walked, header by header, from the
// first record on that was left to expire, and given another such time: when
// records that are an eighth of it, or all that are left to expire, will have.
// So a segment is walked about eight times in its life, however its keys' times
// are spread. Thread-compatible.
class ExpirySweeper {
 public:
  ExpirySweeper(State* state, Log* log) : state_(*state), log_(*log) {}

  // Returns whether a key was removed. Unless it is to do everything `now`, it
  // stops after a while, and the next one goes on where it stopped. After one
  // that came through it does nothing for a time, so that sweeps take a quarter
  // of the time where that is enough.
  bool Run(bool now, const std::atomic<bool>& cancelled);
  // When there is something to do again, as far as the last one has seen, by
  // SteadyNowNs: at once if it stopped before it was through.
  int64_t next_run_ns() const { return next_run_ns_; }

 private:
  bool Sweep(Segment* segment, int64_t now_ms,
             const std::atomic<bool>& cancelled);
  bool Remove(absl::Span<const ExpiredKey> keys);

  State& state_;
  Log& log_;
  int64_t rest_until_ns_ = 0;
  int64_t next_run_ns_ = INT64_MAX;
  bool has_failed_ = false;   // in the last one
  SegmentId stopped_at_ = 0;  // where the next one begins
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_
