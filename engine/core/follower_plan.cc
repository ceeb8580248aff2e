#include "engine/core/follower_plan.h"

#include <algorithm>
#include <map>
#include <string>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/coding.h"
#include "engine/base/status_macros.h"
#include "engine/core/log_end.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "stave/limits.h"

namespace stave {
namespace {

// A file that grows is mapped beyond its end, which takes only addresses: so
// far at least, and twice its length.
constexpr uint64_t kLeastMappedBytes = uint64_t{1} << 20;

class Planner {
 public:
  Planner(Directory* directory, const State& state, FollowerPlan* plan)
      : directory_(*directory), state_(state), plan_(*plan) {
    for (auto& segment : state.segments->All()) {
      plan_.leaving.insert(segment.get());
      const SegmentId id = segment->id();
      known_[id] = std::move(segment);
    }
  }

  absl::Status Run() {
    for (const ListedSegment& listed : plan_.manifest.segments) {
      FollowerPlan::Item item;
      item.listed = listed;
      const auto known = known_.find(listed.header.id);
      if (known != known_.end()) item.segment = known->second;
      const absl::Status status = Look(&item);
      // What was reserved is given back from there.
      plan_.items.push_back(std::move(item));
      RETURN_IF_ERROR(status);
      const FollowerPlan::Item& added = plan_.items.back();
      if (!added.is_new) plan_.leaving.erase(added.segment.get());
    }
    return absl::OkStatus();
  }

 private:
  absl::Status Look(FollowerPlan::Item* item) {
    const auto& sealed = item->listed.sealed;
    const uint64_t known_end = item->segment == nullptr
                                   ? kSegmentHeaderBytes
                                   : item->segment->end().load();
    if (sealed.has_value()) {
      if (sealed->length < known_end) return Cut(*item);
      const bool is_known =
          item->segment != nullptr && sealed->length == known_end;
      if (is_known || sealed->records == 0) return absl::OkStatus();
    }
    ASSIGN_OR_RETURN(
        std::unique_ptr<File> file,
        directory_.OpenFile(SegmentFileName(item->listed.header.id),
                            /*writable=*/false));
    ASSIGN_OR_RETURN(const uint64_t size, file->Size());
    if (!sealed.has_value() && !MayHaveRecord(*file, known_end)) {
      return absl::OkStatus();
    }
    item->has_more = item->is_log();
    const uint64_t least = sealed.has_value() ? sealed->length : size;
    if (size < least) return Shortened(*item, size);
    if (item->segment == nullptr || item->segment->capacity() < least) {
      const uint64_t capacity =
          sealed.has_value()
              ? least
              : std::clamp(2 * size, kLeastMappedBytes, kMaxSegmentSizeBytes);
      RETURN_IF_ERROR(Map(*file, capacity, item));
    }
    item->segment->file_bytes() = size;
    // Processes may have few open files.
    if (!sealed.has_value()) item->file = std::move(file);
    return absl::OkStatus();
  }

  // Whether there is anything but zeros where the next record would be.
  static bool MayHaveRecord(const File& file, uint64_t offset) {
    char header[kRecordHeaderBytes] = {};
    const absl::StatusOr<size_t> read =
        file.Read(offset, absl::MakeSpan(header));
    return !read.ok() || !AllZero(std::string_view(header, sizeof(header)));
  }

  absl::Status Map(File& file, uint64_t capacity, FollowerPlan::Item* item) {
    const SegmentHeader& header = item->listed.header;
    char bytes[kSegmentHeaderBytes] = {};
    ASSIGN_OR_RETURN(const size_t read, file.Read(0, absl::MakeSpan(bytes)));
    RETURN_IF_ERROR(
        CheckSegmentHeader(directory_, std::string_view(bytes, read), header));
    Segment::Parts parts;
    parts.header = header;
    parts.name = SegmentFileName(header.id);
    parts.replaces_another = item->segment != nullptr;
    parts.capacity = capacity;
    if (state_.read_mode == ReadMode::kMap) {
      ASSIGN_OR_RETURN(parts.mapping, file.Map(capacity, /*writable=*/false));
    } else {
      ASSIGN_OR_RETURN(parts.file,
                       directory_.OpenFile(parts.name, /*writable=*/false));
    }
    ASSIGN_OR_RETURN(parts.first, state_.segments->ReserveRange(capacity));
    item->replaced = std::move(item->segment);
    item->segment = Segment::Adopt(std::move(parts));
    item->is_new = true;
    return absl::OkStatus();
  }

  absl::Status Shortened(const FollowerPlan::Item& item, uint64_t size) const {
    return absl::DataLossError(absl::StrCat(
        directory_.path(), "/", SegmentFileName(item.listed.header.id),
        ", offset ", size, ": the file ends here, its records at ",
        item.listed.sealed->length));
  }

  absl::Status Cut(const FollowerPlan::Item& item) const {
    return absl::FailedPreconditionError(absl::StrCat(
        directory_.path(), "/", SegmentFileName(item.listed.header.id),
        ", offset ", item.listed.sealed->length,
        ": a recovery has cut off what was read"));
  }

  Directory& directory_;
  const State& state_;
  FollowerPlan& plan_;
  std::map<SegmentId, std::shared_ptr<Segment>> known_;
};

}  // namespace

bool FollowerPlan::changes_anything() const {
  return !leaving.empty() ||
         std::any_of(items.begin(), items.end(), [](const Item& item) {
           return item.is_new || item.has_more;
         });
}

bool FollowerPlan::removes_any() const {
  const auto replaced =
      std::count_if(items.begin(), items.end(),
                    [](const Item& item) { return item.replaced != nullptr; });
  return leaving.size() > static_cast<size_t>(replaced);
}

void FollowerPlan::GiveUp(SegmentSet* segments) {
  for (const Item& item : items) {
    if (!item.is_new || item.is_staged) continue;
    segments->ReturnRange(item.segment->LocationOf(0),
                          item.segment->capacity());
  }
}

absl::StatusOr<FollowerPlan> MakeFollowerPlan(Directory* directory,
                                              const State& state,
                                              ManifestState manifest,
                                              Sequence last) {
  FollowerPlan plan;
  plan.manifest = std::move(manifest);
  plan.jumps = plan.manifest.merged_through > last;
  const absl::Status status = Planner(directory, state, &plan).Run();
  if (status.ok()) return plan;
  plan.GiveUp(state.segments.get());
  return status;
}

}  // namespace stave
