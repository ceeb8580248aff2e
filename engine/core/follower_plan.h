#ifndef STAVE_ENGINE_CORE_FOLLOWER_PLAN_H_
#define STAVE_ENGINE_CORE_FOLLOWER_PLAN_H_

#include <memory>
#include <vector>

#include "absl/container/flat_hash_set.h"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/base/types.h"
#include "engine/core/state.h"
#include "engine/fs/file_system.h"
#include "engine/log/manifest.h"
#include "engine/log/segment.h"

namespace stave {

// What has become of a store's segments since a follower looked at them: all
// that it needs to open, opened, and nothing changed yet.
struct FollowerPlan {
  struct Item {
    ListedSegment listed;
    // Null: it has no records yet.
    std::shared_ptr<Segment> segment;
    bool is_new = false;  // the state did not have it
    bool is_staged = false;
    // That `segment` takes the place of: an earlier mapping of the same file.
    std::shared_ptr<Segment> replaced = nullptr;
    // Of a segment of the log: it has more than we know, or may have.
    bool has_more = false;
    std::unique_ptr<File> file = nullptr;  // to read that from while it grows

    bool is_log() const { return listed.header.kind == SegmentKind::kLog; }
  };

  bool changes_anything() const;
  // Merges have taken segments; not only were some mapped anew.
  bool removes_any() const;
  // Gives back what was reserved for segments that were not staged.
  void GiveUp(SegmentSet* segments);
  bool Leaves(const Segment* segment) const {
    return leaving.contains(segment);
  }

  ManifestState manifest;
  std::vector<Item> items;  // in the manifest's order
  // That the keydir may name, and must not once all is done.
  absl::flat_hash_set<const Segment*> leaving;
  // Merges have taken records that were not read.
  bool jumps = false;
};

// `last` is the last record that the follower knows. NotFound if a file has
// gone since `manifest` was read; FailedPrecondition if a segment ends in front
// of what was read of it. After an error nothing has changed.
absl::StatusOr<FollowerPlan> MakeFollowerPlan(Directory* directory,
                                              const State& state,
                                              ManifestState manifest,
                                              Sequence last);

}  // namespace stave

#endif  // STAVE_ENGINE_CORE_FOLLOWER_PLAN_H_
