#ifndef STAVE_TESTS_DAMAGE_IMAGES_H_
#define STAVE_TESTS_DAMAGE_IMAGES_H_

#include <cstdint>
#include <string>
#include <vector>

#include "tests/damage/written_store.h"

namespace stave {

// A kind of store to damage. Adding one is writing a function in images.cc and
// naming it in the list there.
struct ImageKind {
  std::string name;
  // Makes a store of at most 16 KiB. Those of one seed differ in nothing but
  // what is random in every store.
  StoreImage (*make)(uint64_t seed);
};

const std::vector<ImageKind>& ImageKinds();

}  // namespace stave

#endif  // STAVE_TESTS_DAMAGE_IMAGES_H_
