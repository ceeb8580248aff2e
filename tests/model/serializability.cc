#include "tests/model/serializability.h"

#include <algorithm>
#include <array>
#include <set>
#include <utility>

#include "absl/strings/str_cat.h"

namespace stave {
namespace {

constexpr size_t kMostThreads = 32;

// A state that the keys may be in, and which threads' transactions under way
// have had their moment.
struct Possibility {
  std::vector<uint32_t> values;
  uint32_t done = 0;

  friend auto operator<=>(const Possibility&, const Possibility&) = default;
};

bool Explains(const std::vector<uint32_t>& values,
              const CommittedTransaction& transaction) {
  return std::all_of(
      transaction.found.begin(), transaction.found.end(),
      [&](const auto& found) { return values[found.first] == found.second; });
}

class Checker {
 public:
  explicit Checker(size_t keys)
      : possible_({{std::vector<uint32_t>(keys, 0), 0}}) {}

  void Begin(const CommittedTransaction& transaction) {
    under_way_[transaction.thread] = &transaction;
  }

  // Leaves the possibilities in which the transaction has had its moment.
  // False if there are none.
  bool End(const CommittedTransaction& transaction) {
    const uint32_t bit = BitOf(transaction.thread);
    std::set<Possibility> seen, next;
    while (!possible_.empty()) {
      const Possibility each = std::move(possible_.back());
      possible_.pop_back();
      if ((each.done & bit) != 0) {
        next.insert({each.values, each.done & ~bit});
        continue;
      }
      for (Possibility& step : OneStepFrom(each)) {
        if (seen.insert(step).second) possible_.push_back(std::move(step));
      }
    }
    under_way_[transaction.thread] = nullptr;
    possible_.assign(next.begin(), next.end());
    return !possible_.empty();
  }

 private:
  static uint32_t BitOf(size_t thread) { return uint32_t{1} << thread; }

  std::vector<Possibility> OneStepFrom(const Possibility& from) const {
    std::vector<Possibility> steps;
    for (size_t thread = 0; thread < kMostThreads; ++thread) {
      const CommittedTransaction* const each = under_way_[thread];
      if (each == nullptr || (from.done & BitOf(thread)) != 0) continue;
      if (!Explains(from.values, *each)) continue;
      Possibility step = {from.values, from.done | BitOf(thread)};
      for (const auto& [key, value] : each->written) step.values[key] = value;
      steps.push_back(std::move(step));
    }
    return steps;
  }

  std::array<const CommittedTransaction*, kMostThreads> under_way_{};
  std::vector<Possibility> possible_;
};

std::string Describe(const CommittedTransaction& transaction) {
  std::string text =
      absl::StrCat("thread ", transaction.thread, " from ", transaction.begin,
                   " to ", transaction.end, " found");
  for (const auto& [key, value] : transaction.found) {
    absl::StrAppend(&text, " ", key, "=", value);
  }
  text += ", wrote";
  for (const auto& [key, value] : transaction.written) {
    absl::StrAppend(&text, " ", key, "=", value);
  }
  return text;
}

}  // namespace

std::string CheckSerializable(
    size_t keys, const std::vector<CommittedTransaction>& transactions) {
  struct Moment {
    uint64_t time;
    bool is_end;
    const CommittedTransaction* transaction;
  };
  std::vector<Moment> moments;
  for (const CommittedTransaction& each : transactions) {
    moments.push_back({each.begin, false, &each});
    moments.push_back({each.end, true, &each});
  }
  std::sort(moments.begin(), moments.end(),
            [](const Moment& a, const Moment& b) { return a.time < b.time; });
  Checker checker(keys);
  for (const Moment& moment : moments) {
    if (!moment.is_end) {
      checker.Begin(*moment.transaction);
    } else if (!checker.End(*moment.transaction)) {
      std::string text = absl::StrCat(Describe(*moment.transaction),
                                      ": no order explains this, after");
      for (const CommittedTransaction& each : transactions) {
        if (each.begin > moment.time || each.end + 100 < moment.time) continue;
        absl::StrAppend(&text, "\n  ", Describe(each));
      }
      return text;
    }
  }
  return "";
}

}  // namespace stave
