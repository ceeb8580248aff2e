#ifndef STAVE_TESTS_MODEL_LINEARIZABILITY_H_
#define STAVE_TESTS_MODEL_LINEARIZABILITY_H_

#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

namespace stave {

// What one thread did to one key, between two moments: it found there what is
// told of here, and may have left something else, at one instant.
struct Access {
  // Values are numbered. No two writes of a value have the same.
  static constexpr uint32_t kAbsent = 0;
  static constexpr uint32_t kPresent = 0xffff'ffff;  // any value, as found
  static constexpr uint32_t kUnknown = 0xffff'fffe;  // anything, as found
  static constexpr uint32_t kNothing = 0xffff'fffd;  // as written

  size_t thread = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  uint32_t found = kUnknown;
  bool is_other = false;  // it found anything but that
  uint32_t written = kNothing;
  // Its process was killed at `end`, so nobody knows whether it was done.
  bool maybe = false;
  size_t batch = 0;       // that it is a part of; 0: none
  const char* call = "";  // for messages
};

// Whether there is an order of the accesses of one key that explains what each
// found, and in which each has its place between its begin and its end. At
// first the key is absent. A thread's accesses follow each other, and there
// are at most 32 threads. Returns what can't be explained, else "".
//
// The algorithm is Lowe's "just-in-time linearization" (Testing for
// linearizability, 2016): it walks through the moments in order and keeps all
// states that the key may be in, each with the accesses under way that must
// have had their instant for it. An access is given its instant only when an
// end demands it. Time: linear in the accesses; exponential, at worst, in the
// number of threads.
std::string CheckKey(std::vector<Access> accesses);

// The same for many keys, each with its accesses, that batches tie together:
// once somebody was told of a part of a batch, all of it has been done.
std::string CheckKeys(std::vector<std::vector<Access>> keys);

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_LINEARIZABILITY_H_
