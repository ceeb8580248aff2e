#ifndef STAVE_PINNED_VALUE_H_
#define STAVE_PINNED_VALUE_H_

#include <cstddef>
#include <memory>
#include <string_view>
#include <utility>

namespace stave {

class Segment;

// A value where it lies in its segment, without a copy. The bytes stay
// readable and unchanged as long as this lives, also after the key was
// changed, and after Store::Close. Holds the segment: its file's space is not
// given back before. Of a value that is compressed it has a copy instead, and
// holds no segment; with ReadMode::kPread it has a copy as well. Movable
// between threads; thread-compatible.
class PinnedValue {
 public:
  PinnedValue() = default;
  PinnedValue(PinnedValue&& other) noexcept
      : view_(std::exchange(other.view_, {})),
        segment_(std::exchange(other.segment_, nullptr)),
        copy_(std::move(other.copy_)) {}
  PinnedValue& operator=(PinnedValue&& other) noexcept {
    std::swap(view_, other.view_);
    std::swap(segment_, other.segment_);
    std::swap(copy_, other.copy_);
    return *this;
  }
  ~PinnedValue();

  std::string_view view() const { return view_; }

 private:
  friend class Reader;
  // Takes over a pin that the caller holds on `segment`.
  PinnedValue(std::string_view view, Segment* segment,
              std::shared_ptr<const char[]> copy)
      : view_(view), segment_(segment), copy_(std::move(copy)) {}
  PinnedValue(std::unique_ptr<char[]> copy, size_t size)
      : view_(copy.get(), size), copy_(std::move(copy)) {}

  std::string_view view_;
  Segment* segment_ = nullptr;
  std::shared_ptr<const char[]> copy_;
};

}  // namespace stave

#endif  // STAVE_PINNED_VALUE_H_
