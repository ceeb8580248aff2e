#ifndef STAVE_TESTS_DAMAGE_ALLOCATIONS_H_
#define STAVE_TESTS_DAMAGE_ALLOCATIONS_H_

#include <cstddef>

namespace stave {

// Linking this library replaces operator new by one that notes its sizes.

// The greatest size that this thread has asked operator new for since the last
// call of this function.
size_t TakeLargestAllocation();

}  // namespace stave

#endif  // STAVE_TESTS_DAMAGE_ALLOCATIONS_H_
