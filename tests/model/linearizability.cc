#include "tests/model/linearizability.h"

#include <algorithm>
#include <array>
#include <set>
#include <unordered_map>
#include <utility>

#include "absl/strings/str_cat.h"

namespace stave {
namespace {

constexpr size_t kMostThreads = 32;

// A state that the key may be in, and which threads' accesses under way have
// had their instant.
struct Possibility {
  uint32_t value = Access::kAbsent;
  uint32_t done = 0;

  friend auto operator<=>(const Possibility&, const Possibility&) = default;
};

bool Explains(uint32_t value, const Access& access) {
  if (access.found == Access::kUnknown) return true;
  if (access.found == Access::kPresent) return value != Access::kAbsent;
  return (access.found == value) != access.is_other;
}

class KeyChecker {
 public:
  std::string Run(const std::vector<Access>& accesses) {
    struct Moment {
      uint64_t time;
      bool is_end;
      const Access* access;
    };
    std::vector<Moment> moments;
    for (const Access& access : accesses) {
      moments.push_back({access.begin, false, &access});
      moments.push_back({access.end, true, &access});
    }
    std::sort(
        moments.begin(), moments.end(), [](const Moment& a, const Moment& b) {
          return std::pair(a.time, a.is_end) < std::pair(b.time, b.is_end);
        });
    for (const Moment& moment : moments) {
      const Access& access = *moment.access;
      if (!moment.is_end) {
        under_way_[access.thread] = &access;
        continue;
      }
      if (!End(access)) return Explain(access, accesses);
    }
    return "";
  }

 private:
  static uint32_t BitOf(size_t thread) { return uint32_t{1} << thread; }

  // Leaves the possibilities in which the access has had its instant, or, if
  // it may never have had one, all.
  bool End(const Access& access) {
    const uint32_t bit = BitOf(access.thread);
    std::set<Possibility> seen(possible_.begin(), possible_.end());
    std::vector<Possibility> next;
    while (!possible_.empty()) {
      const Possibility each = possible_.back();
      possible_.pop_back();
      const bool done = (each.done & bit) != 0;
      if (done || access.maybe) {
        next.push_back({each.value, each.done & ~bit});
      }
      if (done) continue;
      for (size_t thread = 0; thread < kMostThreads; ++thread) {
        const Access* const other = under_way_[thread];
        if (other == nullptr || (each.done & BitOf(thread)) != 0) continue;
        if (!Explains(each.value, *other)) continue;
        const Possibility after = {
            other->written == Access::kNothing ? each.value : other->written,
            each.done | BitOf(thread)};
        if (seen.insert(after).second) possible_.push_back(after);
      }
    }
    under_way_[access.thread] = nullptr;
    std::sort(next.begin(), next.end());
    next.erase(std::unique(next.begin(), next.end()), next.end());
    possible_ = std::move(next);
    return !possible_.empty();
  }

  static std::string Describe(const Access& access) {
    return absl::StrCat(access.call, " by thread ", access.thread, " from ",
                        access.begin, " to ", access.end,
                        access.is_other ? " found anything but " : " found ",
                        static_cast<int32_t>(access.found), ", wrote ",
                        static_cast<int32_t>(access.written));
  }

  // With what there was since the last change before it began.
  static std::string Explain(const Access& access,
                             const std::vector<Access>& accesses) {
    uint64_t since = 0;
    for (const Access& each : accesses) {
      if (each.written == Access::kNothing || each.end >= access.begin)
        continue;
      since = std::max(since, each.begin);
    }
    std::string text =
        absl::StrCat(Describe(access), ": no order explains this. There were");
    for (const Access& each : accesses) {
      if (each.end < since || each.begin > access.end) continue;
      absl::StrAppend(&text, "\n  ", Describe(each));
    }
    return text;
  }

  std::array<const Access*, kMostThreads> under_way_{};
  std::vector<Possibility> possible_ = {Possibility()};
};

}  // namespace

std::string CheckKey(std::vector<Access> accesses) {
  return KeyChecker().Run(accesses);
}

std::string CheckKeys(std::vector<std::vector<Access>> keys) {
  // When somebody was first told of a batch.
  std::unordered_map<size_t, uint64_t> told;
  for (const std::vector<Access>& accesses : keys) {
    std::unordered_map<uint32_t, size_t> batches;  // by what they wrote here
    for (const Access& access : accesses) {
      if (access.batch != 0 && access.written != Access::kAbsent) {
        batches[access.written] = access.batch;
      }
    }
    for (const Access& access : accesses) {
      if (access.maybe || access.is_other) continue;
      const auto batch = batches.find(access.found);
      if (batch == batches.end()) continue;
      const auto [first, is_new] = told.emplace(batch->second, access.end);
      first->second = std::min(first->second, access.end);
    }
  }
  for (size_t key = 0; key < keys.size(); ++key) {
    for (Access& access : keys[key]) {
      const auto first = told.find(access.batch);
      if (access.batch == 0 || first == told.end()) continue;
      access.maybe = false;
      // Who was told of it before it began will be found out by the key.
      if (first->second < access.begin) continue;
      access.end = std::min(access.end, first->second);
    }
    const std::string problem = CheckKey(keys[key]);
    if (!problem.empty()) return absl::StrCat("key ", key, ": ", problem);
  }
  return "";
}

}  // namespace stave
