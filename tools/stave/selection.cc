#include "tools/stave/selection.h"

#include <algorithm>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

struct SortedKey {
  std::string key;
  absl::Time expire_at;
};

bool operator<(const SortedKey& a, const SortedKey& b) { return a.key < b.key; }

// The least keys of those added, at most `limit` of them.
class LeastKeys {
 public:
  explicit LeastKeys(uint64_t limit) : limit_(limit) {}

  void Add(const Record& record) {
    if (keys_.size() == limit_) {
      if (limit_ == 0 || record.key >= keys_.front().key) return;
      std::pop_heap(keys_.begin(), keys_.end());
      keys_.pop_back();
    }
    keys_.push_back({std::string(record.key), record.expire_at});
    // A heap costs more than sorting once, so only where keys may leave it.
    if (limit_ != std::numeric_limits<uint64_t>::max()) {
      std::push_heap(keys_.begin(), keys_.end());
    }
  }

  std::vector<SortedKey> TakeSorted() && {
    std::sort(keys_.begin(), keys_.end());
    return std::move(keys_);
  }

 private:
  const uint64_t limit_;
  std::vector<SortedKey> keys_;  // a heap, unless there is no limit
};

// A prefix that all wanted keys have, or nullopt where none can have it.
std::optional<std::string> CommonPrefix(const Selection& selection) {
  if (!selection.glob.has_value()) return selection.prefix;
  std::string of_glob = selection.glob->LiteralPrefix();
  if (of_glob.starts_with(selection.prefix)) return of_glob;
  if (selection.prefix.starts_with(of_glob)) return selection.prefix;
  return std::nullopt;
}

// In the store's order, without a limit.
absl::Status VisitUnsorted(Store& store, const Selection& selection,
                           bool with_values, RecordVisitor visit) {
  const std::optional<std::string> prefix = CommonPrefix(selection);
  if (!prefix.has_value()) return absl::OkStatus();
  ReadOptions options;
  options.prefix = *prefix;
  options.lower_bound = selection.from;
  options.upper_bound = selection.to;
  absl::StatusOr<std::unique_ptr<Iterator>> opened = store.NewIterator(options);
  if (!opened.ok()) return opened.status();
  Iterator& iterator = **opened;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    Record record;
    record.key = iterator.key();
    if (selection.glob.has_value() && !selection.glob->Matches(record.key)) {
      continue;
    }
    if (with_values) record.value = iterator.value();
    record.expire_at = iterator.expiry();
    RETURN_IF_ERROR(visit(record));
  }
  return iterator.status();
}

// Only the keys are kept for sorting. The values are read again afterwards:
// the store is this process's own, or as it was when it was opened, so they
// are still the same, but for keys that have expired meanwhile.
absl::Status VisitSorted(Store& store, const Selection& selection,
                         bool with_values, RecordVisitor visit) {
  LeastKeys least(selection.limit);
  RETURN_IF_ERROR(VisitUnsorted(store, selection, /*with_values=*/false,
                                [&least](const Record& record) {
                                  least.Add(record);
                                  return absl::OkStatus();
                                }));
  for (const SortedKey& found : std::move(least).TakeSorted()) {
    Record record{found.key, {}, found.expire_at};
    PinnedValue pinned;
    if (with_values) {
      absl::StatusOr<PinnedValue> value = store.GetPinned(found.key);
      if (absl::IsNotFound(value.status())) continue;
      if (!value.ok()) return value.status();
      pinned = *std::move(value);
      record.value = pinned.view();
    }
    RETURN_IF_ERROR(visit(record));
  }
  return absl::OkStatus();
}

absl::Status Visit(Store& store, const Selection& selection, bool with_values,
                   RecordVisitor visit) {
  if (selection.sort) return VisitSorted(store, selection, with_values, visit);
  if (selection.limit == 0) return absl::OkStatus();
  uint64_t visited = 0;
  bool at_limit = false;
  const absl::Status status =
      VisitUnsorted(store, selection, with_values, [&](const Record& record) {
        RETURN_IF_ERROR(visit(record));
        at_limit = ++visited == selection.limit;
        return at_limit ? absl::CancelledError() : absl::OkStatus();
      });
  return at_limit ? absl::OkStatus() : status;
}

}  // namespace

absl::Status VisitRecords(Store& store, const Selection& selection,
                          RecordVisitor visit) {
  return Visit(store, selection, /*with_values=*/true, visit);
}

absl::Status VisitKeys(Store& store, const Selection& selection,
                       RecordVisitor visit) {
  return Visit(store, selection, /*with_values=*/false, visit);
}

}  // namespace stave::tool
