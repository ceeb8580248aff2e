#ifndef STAVE_TESTS_FUZZ_SEED_DICTIONARY_H_
#define STAVE_TESTS_FUZZ_SEED_DICTIONARY_H_

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>

#include "engine/format/dictionary.h"

namespace stave {

// Texts that have much in common.
std::string SeedText(int number);

// A dictionary that was learnt from such, under an id of the caller's choice.
std::unique_ptr<const Dictionary> SeedDictionary(uint32_t id);

// What a record holds of `value`, which the dictionary must be of use for.
std::string CompressedBy(const Dictionary& dictionary, std::string_view value);

}  // namespace stave

#endif  // STAVE_TESTS_FUZZ_SEED_DICTIONARY_H_
