#ifndef STAVE_TESTS_DAMAGE_DAMAGES_H_
#define STAVE_TESTS_DAMAGE_DAMAGES_H_

#include <cstdint>
#include <functional>
#include <string>

#include "tests/damage/written_store.h"
#include "tests/engine/core/directory_image.h"

namespace stave {

// `what` says what was done, without spaces: "<file>@<offset>^04".
using VisitDamaged =
    std::function<void(const std::string& what, const DirectoryImage& damaged)>;

// Visits copies of an image's files, each with one damage: every bit of every
// byte, every byte 00 and FF, files cut at each length, sectors and pages
// zeroed and exchanged, files missing, exchanged, put back as they were once,
// and taken from `other`, a store of the same kind.
void ForEachDamage(const StoreImage& image, const StoreImage& other,
                   const VisitDamaged& visit);

// Visits the image with a few random damages at once.
void DamageAtRandom(const StoreImage& image, uint64_t seed,
                    const VisitDamaged& visit);

}  // namespace stave

#endif  // STAVE_TESTS_DAMAGE_DAMAGES_H_
