#ifndef STAVE_ENGINE_CORE_KEYDIR_FILL_H_
#define STAVE_ENGINE_CORE_KEYDIR_FILL_H_

#include <memory>
#include <vector>

#include "absl/status/status.h"
#include "engine/core/state.h"
#include "engine/format/manifest_edit.h"
#include "engine/index/keydir.h"
#include "engine/log/file_window.h"
#include "engine/log/hint_file.h"
#include "engine/log/segment.h"

namespace stave {

// A segment to be walked, and what its records must turn out to be.
struct SegmentToRead {
  std::shared_ptr<Segment> segment;
  SegmentSummary summary;
  bool check_bodies = true;
  bool has_hint_file = false;  // perhaps a valid one
  // The keydir has its keys from a checkpoint, as far as they are live.
  bool is_covered = false;
  // Its hint file is valid, and the keydir has its keys from there, unless the
  // segment is covered, or the keydir wants bytes of keys.
  bool is_restored = false;
  bool has_large_records = false;  // known if it is restored
  // Tells those records' sizes, if it is valid there.
  std::unique_ptr<HintFile> sizes;
  // Where its sound records are; empty: everywhere, and exactly as the summary
  // says.
  std::vector<ByteRange> stretches = {};
};

// Whether `a` comes behind `b` in the log: ranges of locations are reserved in
// log order.
inline bool IsLater(KeydirEntry a, KeydirEntry b) {
  return a.location().unit > b.location().unit;
}

// Fills the keydir of `state` from those segments that are not restored, or, if
// it has an order, not restored or not covered, on `threads` threads. Those of
// them that are covered are only checked: so Open notices the same damage with
// a checkpoint as without. The segments are in log order and in
// state->segments. DataLoss, with file and offset, if records are not as they
// should be.
absl::Status FillKeydir(State* state,
                        const std::vector<SegmentToRead>& segments,
                        size_t threads);

// When the keydir has everything: drops tombstones and counts the live bytes of
// all segments.
absl::Status CountLiveRecords(State* state,
                              const std::vector<SegmentToRead>& segments,
                              size_t threads);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_KEYDIR_FILL_H_
