#ifndef STAVE_TESTS_ENGINE_CORE_SCRATCH_PLACE_H_
#define STAVE_TESTS_ENGINE_CORE_SCRATCH_PLACE_H_

#include <unistd.h>

#include <string>

#include "gtest/gtest.h"

namespace stave {

// Parents for temporary directories. In memory, syncing costs nothing, so
// tests go there unless they are about a disk.
inline std::string PlaceOnDisk() { return testing::TempDir(); }
inline std::string PlaceInMemory() {
  constexpr char kShared[] = "/dev/shm";
  return access(kShared, W_OK) == 0 ? kShared : PlaceOnDisk();
}

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_SCRATCH_PLACE_H_
