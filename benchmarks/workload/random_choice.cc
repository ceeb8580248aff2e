#include "benchmarks/workload/random_choice.h"

#include <algorithm>
#include <cmath>

namespace stave::bench {
namespace {

constexpr double kExponent = 0.99;
constexpr int kRounds = 4;

double Weight(double x) { return std::pow(x, -kExponent); }

}  // namespace

Shuffle::Shuffle(uint64_t count, uint64_t seed) : count_(count), seed_(seed) {
  while (uint64_t{1} << 2 * half_bits_ < count_) ++half_bits_;
}

// A Feistel network: a permutation of all numbers of so many bits. It is
// applied again to what is not below count, which leads back below it.
uint64_t Shuffle::operator()(uint64_t place) const {
  uint64_t number = Scramble(place);
  while (number >= count_) number = Scramble(number);
  return number;
}

uint64_t Shuffle::Scramble(uint64_t number) const {
  const uint64_t mask = (uint64_t{1} << half_bits_) - 1;
  uint64_t left = number >> half_bits_;
  uint64_t right = number & mask;
  for (uint64_t round = 1; round <= kRounds; ++round) {
    const uint64_t mixed =
        (right + round * 0xD1B54A32D192ED03u + seed_) * 0x9E3779B97F4A7C15u;
    const uint64_t next = left ^ ((mixed >> 29) & mask);
    left = right;
    right = next;
  }
  return left << half_bits_ | right;
}

Zipf::Zipf(uint64_t count)
    : count_(static_cast<double>(count)),
      first_(Integral(1.5) - 1),
      last_(Integral(count_ + 0.5)),
      threshold_(2 - InverseIntegral(Integral(2.5) - Weight(2))) {}

double Zipf::Integral(double x) {
  return std::pow(x, 1 - kExponent) / (1 - kExponent);
}

double Zipf::InverseIntegral(double y) {
  return std::pow(y * (1 - kExponent), 1 / (1 - kExponent));
}

uint64_t Zipf::operator()(Random& random) const {
  std::uniform_real_distribution<double> draw(first_, last_);
  while (true) {
    const double y = draw(random);
    const double x = InverseIntegral(y);
    const double k = std::clamp(std::round(x), 1.0, count_);
    if (k - x <= threshold_ || y >= Integral(k + 0.5) - Weight(k)) {
      return static_cast<uint64_t>(k) - 1;
    }
  }
}

}  // namespace stave::bench
