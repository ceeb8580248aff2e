#ifndef STAVE_TESTS_MODEL_SEEDS_H_
#define STAVE_TESTS_MODEL_SEEDS_H_

#include <cstdint>
#include <cstdlib>
#include <string>

namespace stave {

// A whole number from the environment, or `otherwise`.
inline uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* const text = std::getenv(name);
  return text == nullptr ? otherwise : std::strtoull(text, nullptr, 10);
}

// Whether all seeds but STAVE_SEED are to be left out.
inline bool IsLeftOut(uint64_t seed) {
  return FromEnvironment("STAVE_SEED", seed) != seed;
}

// For messages: what to type to have a seed's run again, alone.
inline std::string HowToReplay(const std::string& target, uint64_t seed) {
  return "seed " + std::to_string(seed) + "; to replay: bazel test -c opt " +
         target + " --test_env=STAVE_SEED=" + std::to_string(seed) + "\n";
}

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_SEEDS_H_
