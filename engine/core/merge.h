#ifndef STAVE_ENGINE_CORE_MERGE_H_
#define STAVE_ENGINE_CORE_MERGE_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/core/copied_puts.h"
#include "engine/core/expiry_sweeper.h"
#include "engine/core/state.h"
#include "engine/core/staying_segments.h"
#include "engine/fs/file_system.h"
#include "engine/index/keydir.h"
#include "engine/log/hint_writer.h"
#include "engine/log/log.h"
#include "engine/log/manifest.h"
#include "engine/log/merged_segment_writer.h"
#include "engine/log/segment.h"

namespace stave {

// One merge: sealed segments in, none or some out, and nothing changed if
// anything fails before the one manifest edit that makes the change (I5).
//
//  1. Each record of the inputs is checked, and copied, with its sequence, if
//     it is its key's present one, or a tombstone that an older record in a
//     segment that stays could come back without (I4).
//  2. The outputs are synced, and their names; then the log, through whatever
//     made a record dead that was left out.
//  3. The edit. From here on nothing may fail, so no file is read any more.
//  4. The keydir's entries are moved, each if it still names the very input's
//     record (I6); then the inputs' live bytes, or a walk through the keydir,
//     show that none names one.
//  5. Outputs take the inputs' place in the list of segments.
//
// For one thread, and one merge of a store at a time.
class Merge {
 public:
  struct Context {
    State* state = nullptr;
    Directory* directory = nullptr;
    Manifest* manifest = nullptr;
    Log* log = nullptr;
    HintWriter* hints = nullptr;
    uint64_t output_capacity = 0;
    // Removed earlier, and unlinked since: to be forgotten by the edit.
    std::vector<SegmentId> unlinked;
    const std::atomic<bool>* cancelled = nullptr;
    // Counts what is read of inputs, while it is read.
    std::atomic<uint64_t>* bytes_read = nullptr;
    // What outputs may take that the set of segments doesn't count yet.
    std::atomic<uint64_t>* uncounted_bytes = nullptr;
    // Called after each piece of copying, with the bytes that were read and
    // written; may take its time.
    std::function<void(uint64_t bytes)> pace = [](uint64_t) {};
  };

  // `inputs` are sealed, in the order of the list.
  Merge(const Context& context, std::vector<std::shared_ptr<Segment>> inputs);

  // Cancelled if that was asked for; DataLoss if an input is damaged, which is
  // quarantined then; ResourceExhausted on a full disk. Nothing has changed
  // after any error, unless the log has latched it.
  absl::Status Run();

  uint64_t bytes_written() const { return bytes_written_; }
  // For each output with tombstones that had to stay: who holds what they hide.
  using TombstoneHolders = std::map<SegmentId, std::set<SegmentId>>;
  const TombstoneHolders& tombstone_holders() const {
    return tombstone_holders_;
  }

 private:
  struct Output {
    std::unique_ptr<MergedSegmentWriter> writer;
    std::shared_ptr<Segment> segment;  // once it is finished
    CopiedPuts puts;
    int64_t next_expiry_ms = Segment::kNoExpiry;  // of these
    uint64_t kept_tombstone_bytes = 0;
  };
  struct Candidate {
    RecordView record;
    KeyHash hash;
  };
  absl::Status CopyAll();
  absl::Status CopySegment(const std::shared_ptr<Segment>& input,
                           const SegmentSummary& summary);
  absl::Status CopyGroup(const Segment& input,
                         const std::vector<Candidate>& group);
  absl::Status CopyPut(const Segment& input, const Candidate& candidate);
  // Of what is to be a tombstone if it hides anything.
  absl::Status TakeTombstone(const Candidate& candidate);
  // Those that were taken go to the outputs, as far as they are needed (I4).
  absl::Status KeepTombstones();
  absl::Status KeepTombstone(const Tombstone& tombstone, std::string_view key);
  absl::StatusOr<Output*> OutputFor(uint64_t size);
  absl::Status CheckCancelled() const;
  void CountRead(uint64_t bytes);
  void Pace(uint64_t piece);
  absl::Status MakeOutputsDurable();
  absl::Status Install();
  absl::Status DropOutputs(const absl::Status& error);
  void Relocate(const Output& output);
  void RelocateGroup(Segment* to, absl::Span<const CopiedPut> group);
  bool AnyEntryLeft() const;

  const Context context_;
  State& state_;
  const std::vector<std::shared_ptr<Segment>> inputs_;
  const ManifestState listed_;
  SegmentId after_ = 0;
  StayingSegments staying_;
  std::vector<Tombstone> tombstones_;
  std::string tombstone_keys_;
  std::vector<size_t> tombstone_key_ends_;
  std::vector<Output> outputs_;
  std::vector<ExpiredKey> expired_;
  TombstoneHolders tombstone_holders_;
  // The last put or delete of the log in the inputs.
  Sequence log_through_ = 0;
  uint64_t bytes_read_ = 0;
  uint64_t bytes_written_ = 0;
  uint64_t copied_bytes_ = 0;  // to outputs, finished or not
  uint64_t paced_bytes_ = 0;
};

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_MERGE_H_
