#ifndef STAVE_BENCHMARKS_WORKLOAD_RANDOM_CHOICE_H_
#define STAVE_BENCHMARKS_WORKLOAD_RANDOM_CHOICE_H_

#include <cstdint>
#include <random>

namespace stave::bench {

using Random = std::mt19937_64;

// Puts the numbers below `count` in an order that looks random, and that
// depends on the seed alone. Immutable.
class Shuffle {
 public:
  Shuffle(uint64_t count, uint64_t seed);

  // The number at `place`, which is below count.
  uint64_t operator()(uint64_t place) const;

 private:
  uint64_t Scramble(uint64_t number) const;

  const uint64_t count_;
  const uint64_t seed_;
  int half_bits_ = 1;  // two halves of a number have so many bits each
};

// Draws numbers below `count`, of which number k comes up in proportion to
// 1 / (k + 1)^0.99, as in YCSB. Needs no table: rejection-inversion after
// W. Hoermann and G. Derflinger (1996). Immutable.
class Zipf {
 public:
  explicit Zipf(uint64_t count);

  uint64_t operator()(Random& random) const;

 private:
  // The integral of x^-0.99, and its inverse.
  static double Integral(double x);
  static double InverseIntegral(double y);

  const double count_;
  const double first_;  // of what is drawn from, uniformly
  const double last_;
  const double threshold_;
};

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_WORKLOAD_RANDOM_CHOICE_H_
