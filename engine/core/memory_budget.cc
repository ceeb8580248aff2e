#include "engine/core/memory_budget.h"

#include "absl/strings/str_cat.h"

namespace stave {

MemoryBudget::Use MemoryBudget::LookAgain() {
  const Use use = {state_.keydir->GetStatistics().bytes,
                   state_.overlay.bytes()};
  is_full_.store(use.keydir_bytes + use.snapshot_bytes >= bytes_,
                 std::memory_order_relaxed);
  return use;
}

absl::Status MemoryBudget::Check() {
  const Use use = LookAgain();
  if (use.keydir_bytes + use.snapshot_bytes < bytes_) return absl::OkStatus();
  return absl::ResourceExhaustedError(
      absl::StrCat("the store's memory is full: ", use.keydir_bytes,
                   " bytes of the keydir and ", use.snapshot_bytes,
                   " of snapshots, of a budget of ", bytes_,
                   "; delete keys, let go of snapshots, or raise "
                   "Options::memory_budget_bytes"));
}

}  // namespace stave
