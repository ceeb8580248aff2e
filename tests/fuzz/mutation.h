#ifndef STAVE_TESTS_FUZZ_MUTATION_H_
#define STAVE_TESTS_FUZZ_MUTATION_H_

#include <cstdint>
#include <string>
#include <vector>

namespace stave {

// One of `seeds`, which are not none, with a few changes: bits and bytes,
// numbers of which one is easily wrong, parts left out, doubled, moved, and
// taken from another seed. Each `number` has its own.
std::string Mutated(const std::vector<std::string>& seeds, uint64_t number);

}  // namespace stave

#endif  // STAVE_TESTS_FUZZ_MUTATION_H_
