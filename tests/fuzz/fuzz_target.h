#ifndef STAVE_TESTS_FUZZ_FUZZ_TARGET_H_
#define STAVE_TESTS_FUZZ_FUZZ_TARGET_H_

#include <cstddef>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>
#include <vector>

// What a fuzz target defines; it is run by fuzz_main.cc, or by libFuzzer.

// Hands `size` bytes to what is tested. What must hold is said with FUZZ_CHECK.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size);

namespace stave {

// Inputs to begin with, made by the code that writes what is read.
std::vector<std::string> FuzzSeeds();

inline std::string_view FuzzInput(const uint8_t* data, size_t size) {
  return std::string_view(reinterpret_cast<const char*>(data), size);
}

}  // namespace stave

// Ends the process, which tells a fuzzer that it has found something.
#define FUZZ_CHECK(condition)                                              \
  do {                                                                     \
    if (condition) break;                                                  \
    std::fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, \
                 #condition);                                              \
    std::abort();                                                          \
  } while (false)

#endif  // STAVE_TESTS_FUZZ_FUZZ_TARGET_H_
