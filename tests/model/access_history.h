#ifndef STAVE_TESTS_MODEL_ACCESS_HISTORY_H_
#define STAVE_TESTS_MODEL_ACCESS_HISTORY_H_

#include <atomic>
#include <cstddef>
#include <cstdint>
#include <string>
#include <unordered_map>
#include <vector>

#include "tests/model/linearizability.h"
#include "tests/model/operation.h"

namespace stave {

// An operation that a thread did, when, and what it was told.
struct Deed {
  size_t thread = 0;
  uint64_t begin = 0;
  uint64_t end = 0;
  bool maybe = false;  // its process was killed meanwhile
  Operation operation;
  Answer answer;
};

// Numbers moments in an order that all threads agree upon.
class Moments {
 public:
  uint64_t Next() { return next_.fetch_add(1); }

 private:
  std::atomic<uint64_t> next_{1};
};

// Takes apart what was done to a store into what was done to each of its keys.
// All values that were put differ, and no time has passed that counts. Of an
// increment that was under way in a kill nobody knows the sum, so there is
// none.
class AccessHistory {
 public:
  explicit AccessHistory(const std::vector<std::string>& keys);

  void Add(const Deed& deed);

  // Each key's accesses, keys in the order in which they were given.
  const std::vector<std::vector<Access>>& keys() const { return accesses_; }
  // In all.
  uint64_t size() const;

 private:
  void AddChanges(const Deed& deed);
  // Of one key that is looked at.
  void AddReadModifyWrite(const Deed& deed);
  void AddVisit(const Deed& deed);
  void AddMultiGet(const Deed& deed);
  // As number, which a value gets when it is first met.
  uint32_t NumberOf(const std::string& value);
  // Of what an increment has found.
  uint32_t NumberBefore(int64_t sum, int64_t delta);
  std::vector<Access>& Of(const std::string& key);

  std::unordered_map<std::string, size_t> index_;
  std::unordered_map<std::string, uint32_t> numbers_;
  size_t batches_ = 0;
  std::vector<std::vector<Access>> accesses_;
};

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_ACCESS_HISTORY_H_
