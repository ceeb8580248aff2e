#ifndef STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_
#define STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/core/state.h"
#include "engine/index/keydir.h"
#include "engine/log/log.h"
#include "engine/log/segment.h"

namespace stave {

// A key whose record has expired, and the entry that it had then.
struct ExpiredKey {
  KeyHash hash;
  KeydirEntry entry;
};

// Removes the key from the keydir if it still has that entry, and counts its
// record as dead. That time has come this far is durable, or will be before
// anything depends on it (I12).
void RemoveExpired(State* state, Log* log, const ExpiredKey& key);

// Removes keys that have expired, so that their records are dead to merges,
// though nobody asks for them.
//
// Each segment knows a time before which there is no reason to look at it
// (Segment::next_expiry_ms). Then it is walked, header by header, and given
// another such time: when an eighth of it, or all that is left to expire, will
// have. So a segment is walked about eight times in its life, however its keys'
// times are spread. Thread-compatible.
class ExpirySweeper {
 public:
  ExpirySweeper(State* state, Log* log) : state_(*state), log_(*log) {}

  // Returns whether a key was removed. Does nothing, so that sweeps take a
  // quarter of the time at most, if the last one was too short a time ago and
  // this one need not be `now`.
  bool Run(bool now, const std::atomic<bool>& cancelled);

 private:
  bool Sweep(Segment* segment, int64_t now_ms,
             const std::atomic<bool>& cancelled);

  State& state_;
  Log& log_;
  int64_t rest_until_ns_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_EXPIRY_SWEEPER_H_
