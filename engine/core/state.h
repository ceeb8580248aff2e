#ifndef STAVE_ENGINE_CORE_STATE_H_
#define STAVE_ENGINE_CORE_STATE_H_

#include <atomic>
#include <cstdint>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "engine/base/engine_clock.h"
#include "engine/base/key_hash.h"
#include "engine/core/publication.h"
#include "engine/index/keydir.h"
#include "engine/index/version_overlay.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_set.h"

namespace stave {

// What a store is made of for those who read it. Shared by the store and by
// what may outlive it; all parts are thread-safe.
struct State {
  std::string directory;  // for messages
  std::unique_ptr<EngineClock> clock;
  std::unique_ptr<KeyHasher> hasher;
  std::unique_ptr<SegmentSet> segments;
  std::unique_ptr<Keydir> keydir;
  VersionOverlay overlay;
  Publication publication;
  // Whether a key had an expiry when the store was opened.
  std::atomic<bool> has_expiries{false};

  // The size of a live record, padding included: from the entry if that is
  // exact, else from the record's header; 0 if that can't be read.
  uint64_t SizeOf(KeydirEntry entry) const;

  // Reads the record at `entry`, without its body's checksum. DataLoss if its
  // header is wrong.
  absl::Status ReadAt(KeydirEntry entry, Segment** segment,
                      RecordView* record) const;

  // DataLoss that names the place.
  absl::Status Damage(const Segment& segment, uint64_t offset,
                      std::string_view what) const;

  bool Expired(const RecordHeader& header) const {
    return header.expires &&
           clock->HasExpired(header.expire_at_ms, clock->NowMs());
  }
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_STATE_H_
