#ifndef STAVE_ENGINE_INDEX_PAGE_USE_H_
#define STAVE_ENGINE_INDEX_PAGE_USE_H_

#include <array>
#include <bit>
#include <cstdint>

namespace stave {

// The longest page there is, in lines: no change copies more than two of them.
inline constexpr uint32_t kMaxPageLength = 128;

// What whoever changes a page knows without looking at it, since looking costs
// an access to memory that no cache has.
class PageUse {
 public:
  PageUse() = default;
  // Of a page of `length` lines, none of whose slots were used.
  explicit PageUse(uint32_t length) {
    for (uint32_t line = length; line < kMaxPageLength; ++line) SetFull(line);
  }

  // Slots that were used, those of them that are dead now, and the rest.
  uint32_t used() const { return used_; }
  uint32_t dead() const { return dead_; }
  uint32_t keys() const { return used_ - dead_; }

  void AddUsed() { ++used_; }
  void AddDead() { ++dead_; }
  void RemoveDead() { --dead_; }

  // The first line from `start` on, going round, that is not full. There is
  // one.
  uint32_t VacantLine(uint32_t start) const;
  void SetFull(uint32_t line) { full_[line / 32] |= uint32_t{1} << line % 32; }

 private:
  // A bit for each line that is full, or beyond the page.
  std::array<uint32_t, kMaxPageLength / 32> full_{};
  uint16_t used_ = 0;
  uint16_t dead_ = 0;
};

inline uint32_t PageUse::VacantLine(uint32_t start) const {
  uint32_t word = start / 32;
  uint32_t vacant = ~full_[word] & ~uint32_t{0} << start % 32;
  while (vacant == 0) {
    word = (word + 1) % full_.size();
    vacant = ~full_[word];
  }
  return word * 32 + static_cast<uint32_t>(std::countr_zero(vacant));
}

}  // namespace stave

#endif  // STAVE_ENGINE_INDEX_PAGE_USE_H_
