#ifndef STAVE_ENGINE_FS_REMAINING_PARTS_H_
#define STAVE_ENGINE_FS_REMAINING_PARTS_H_

#include <sys/uio.h>

#include <cstddef>
#include <string_view>

#include "absl/types/span.h"

namespace stave {

// What is still to be written of a list of parts, when a call may write less
// than it was asked to.
class RemainingParts {
 public:
  explicit RemainingParts(absl::Span<const std::string_view> parts)
      : parts_(parts) {
    SkipFinishedParts();
  }

  bool empty() const { return parts_.empty(); }

  // Describes what comes next, as far as `vectors` reaches; returns how many
  // of them it has set.
  size_t Describe(absl::Span<iovec> vectors) const {
    size_t count = 0;
    size_t skip = begun_;
    for (const std::string_view part : parts_) {
      if (count == vectors.size()) break;
      vectors[count++] = {const_cast<char*>(part.data()) + skip,
                          part.size() - skip};
      skip = 0;
    }
    return count;
  }

  // Takes `size` bytes, no more than there are, from the front.
  void Advance(size_t size) {
    begun_ += size;
    SkipFinishedParts();
  }

 private:
  void SkipFinishedParts() {
    while (!parts_.empty() && begun_ >= parts_.front().size()) {
      begun_ -= parts_.front().size();
      parts_.remove_prefix(1);
    }
  }

  absl::Span<const std::string_view> parts_;
  size_t begun_ = 0;  // How much of the first part is done.
};

}  // namespace stave

#endif  // STAVE_ENGINE_FS_REMAINING_PARTS_H_
