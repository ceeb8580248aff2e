#ifndef STAVE_ENGINE_CORE_STAYING_SEGMENTS_H_
#define STAVE_ENGINE_CORE_STAYING_SEGMENTS_H_

#include <atomic>
#include <memory>
#include <vector>

#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/hint.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/log/hint_file.h"
#include "stave/options.h"

namespace stave {

// A record that hides older ones of its key; `holder` is the answer.
struct Tombstone {
  KeyHash hash;
  Sequence sequence = 0;
  // A segment that stays and could hold an older record of the key, 0 if it is
  // proved that there is none.
  SegmentId holder = 0;
};

// The sealed segments that a merge leaves where they are. They tell which
// tombstones are still needed, by their hint files: key by key if there are
// few, or in one walk through all of a file's entries, which are in the order
// of hashes, as the tombstones are brought into. Of a store of 150 segments
// with half a million keys each such walks take 0.3 s together; as many
// searches in each file, for half a million tombstones, took 25 s.
//
// For one thread.
class StayingSegments {
 public:
  // Hint files are read as `read_mode` says.
  StayingSegments(Directory* directory, const KeyHasher& hasher,
                  ReadMode read_mode)
      : directory_(directory), hasher_(hasher), read_mode_(read_mode) {}

  void Add(const SegmentHeader& header, const SegmentSummary& summary) {
    segments_.push_back({header, summary, nullptr});
  }

  // Fills in all holders. May stop early, with some missing, once `cancelled`.
  void FindHolders(absl::Span<Tombstone> tombstones,
                   const std::atomic<bool>& cancelled);

 private:
  struct Staying {
    SegmentHeader header;
    SegmentSummary summary;
    std::unique_ptr<HintFile> hint;  // null if there is none
    bool hint_was_asked_for = false;
  };
  struct Question {
    HintEntry least;  // that the key could have
    Tombstone* tombstone;
  };
  // Those without an answer, in the order of their hashes.
  using Open = std::vector<Question>;

  const HintFile* HintOf(Staying* staying);
  void GiveUpCopyOfHint(Staying* staying);
  // Notes that it may hold a record of the key, if that could be older.
  static void Answer(const Staying& staying, Tombstone* tombstone);
  static void AskEach(const Staying& staying, const Open& open);
  static void AskTogether(const Staying& staying, const Open& open);

  Directory* const directory_;
  const KeyHasher& hasher_;
  const ReadMode read_mode_;
  std::vector<Staying> segments_;
  uint64_t copied_bytes_ = 0;  // of hint files that are not mapped
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_STAYING_SEGMENTS_H_
