#include "engine/core/memory_budget.h"

#include "absl/strings/str_cat.h"

namespace stave {

uint64_t MemoryBudget::Used() const {
  return state_.keydir->GetStatistics().bytes + state_.overlay.GetUsage().bytes;
}

absl::Status MemoryBudget::Check() {
  Look();
  if (!is_full()) return absl::OkStatus();
  return absl::ResourceExhaustedError(absl::StrCat(
      "the store's memory is full: ", state_.keydir->GetStatistics().bytes,
      " bytes of the keydir and ", state_.overlay.GetUsage().bytes,
      " of snapshots, of a budget of ", bytes_,
      "; delete keys, let go of snapshots, or raise "
      "Options::memory_budget_bytes"));
}

}  // namespace stave
