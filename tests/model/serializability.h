#ifndef STAVE_TESTS_MODEL_SERIALIZABILITY_H_
#define STAVE_TESTS_MODEL_SERIALIZABILITY_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stave {

// A transaction that was committed by a thread between two moments: what it
// was told of keys, and what it left there. A single write is one, too.
struct CommittedTransaction {
  static constexpr uint32_t kAbsent = 0;
  // Values by the numbers of their keys. They are numbered as well, and no two
  // writes of a value have the same.
  using Values = std::map<size_t, uint32_t>;

  size_t thread = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  Values found;  // before its own writes
  Values written;
};

// Whether the transactions could have been done one after another, each at some
// moment between its begin and its end, so that all were told what they were.
// At first all of the `keys` keys are absent. A thread's transactions follow
// each other, and there are at most 32 threads. Returns "" or what can't be.
//
// The algorithm is that of CheckKey (linearizability.h) with the values of all
// keys for a state, so for few keys, and few threads at a time.
std::string CheckSerializable(
    size_t keys, const std::vector<CommittedTransaction>& transactions);

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_SERIALIZABILITY_H_
