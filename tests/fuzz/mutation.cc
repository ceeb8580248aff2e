#include "tests/fuzz/mutation.h"

#include <algorithm>
#include <cstddef>
#include <random>

namespace stave {
namespace {

constexpr size_t kMaxBytes = 64 << 10;

class Mutator {
 public:
  Mutator(const std::vector<std::string>& seeds, uint64_t number)
      : seeds_(seeds), random_(number), text_(AnySeed()) {}

  std::string Run() {
    for (uint64_t changes = 1 + Below(5); changes > 0; --changes) Change();
    if (text_.size() > kMaxBytes) text_.resize(kMaxBytes);
    return text_;
  }

 private:
  uint64_t Below(uint64_t limit) { return random_() % limit; }
  size_t Place() { return Below(text_.size() + 1); }
  const std::string& AnySeed() { return seeds_[Below(seeds_.size())]; }
  std::string PartOf(const std::string& text) {
    if (text.empty()) return "";
    const size_t at = Below(text.size());
    return text.substr(at, 1 + Below(Below(4) == 0 ? 200 : 12));
  }

  void Change() {
    const size_t at = Place();
    switch (Below(8)) {
      case 0:
        if (at < text_.size()) {
          text_[at] = static_cast<char>(text_[at] ^ (1 << Below(8)));
        }
        break;
      case 1:
        if (at < text_.size()) text_[at] = static_cast<char>(random_());
        break;
      case 2:
        text_.insert(at,
                     std::string(1 + Below(3), static_cast<char>(random_())));
        break;
      case 3:
        text_.erase(at, 1 + Below(16));
        break;
      case 4:
        text_.insert(at, PartOf(text_));
        break;
      case 5: {
        const std::string part = PartOf(AnySeed());
        text_.replace(at, part.size(), part);
        break;
      }
      case 6:
        SetNumber(at);
        break;
      case 7:
        if (Below(4) == 0) text_.resize(at);
        break;
    }
  }

  // In little-endian, as all numbers of the format are.
  void SetNumber(size_t at) {
    constexpr uint64_t kOne = 1;
    const size_t size = kOne << Below(4);
    const uint64_t numbers[] = {0,
                                1,
                                Below(64),
                                kOne << Below(64),
                                (kOne << Below(64)) - 1,
                                ~uint64_t{0},
                                ~uint64_t{0} - Below(64),
                                text_.size()};
    uint64_t number = numbers[Below(std::size(numbers))];
    for (size_t i = at; i < std::min(at + size, text_.size()); ++i) {
      text_[i] = static_cast<char>(number);
      number >>= 8;
    }
  }

  const std::vector<std::string>& seeds_;
  std::mt19937_64 random_;
  std::string text_;
};

}  // namespace

std::string Mutated(const std::vector<std::string>& seeds, uint64_t number) {
  return Mutator(seeds, number).Run();
}

}  // namespace stave
