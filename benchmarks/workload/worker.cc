#include "benchmarks/workload/worker.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/strings/str_format.h"
#include "benchmarks/workload/random_choice.h"
#include "benchmarks/workload/ticks.h"

namespace stave::bench {
namespace {

absl::Status WrongValue(std::string_view key) {
  return absl::DataLossError(
      absl::StrFormat("what was read for key %s is not what was written", key));
}

// Draws choices in a workload's order.
class Chooser {
 public:
  Chooser(Order order, uint64_t keys, uint64_t seed)
      : order_(order), keys_(keys), shuffle_(keys, seed), zipf_(keys) {}

  uint64_t Choose(uint64_t place, Random& random) const {
    switch (order_) {
      case Order::kAscending:
        return place % keys_;
      case Order::kShuffled:
        return shuffle_(place % keys_);
      case Order::kUniform:
        return random() % keys_;
      case Order::kZipf:
        return shuffle_(zipf_(random));
      case Order::kLatest:
        return zipf_(random);
    }
    return 0;
  }

 private:
  const Order order_;
  const uint64_t keys_;
  const Shuffle shuffle_;
  const Zipf zipf_;
};

}  // namespace

Worker::Worker(const Workload& workload, const Part& part, const Values& values,
               Subject* subject, const std::atomic<bool>& stop)
    : workload_(workload),
      values_(&values),
      subject_(subject),
      stop_(&stop),
      present_(part.present) {
  if (workload.action == Action::kScan) {
    planned_ = part.present;
  } else {
    planned_ = part.operations;
    Draw(part);
  }
}

void Worker::Draw(const Part& part) {
  const Chooser chooser(workload_.order, part.keys, part.seed);
  Random random(part.seed * 1'000'003 + part.first);
  plan_.reserve(part.operations);
  for (uint64_t i = 0; i < part.operations; ++i) {
    const bool other =
        random() % 100 < static_cast<uint64_t>(workload_.other_percent);
    const uint64_t choice = chooser.Choose(part.first + i, random);
    plan_.push_back({other, static_cast<uint32_t>(choice)});
    if (other && workload_.other == Action::kInsert) ++inserts_;
  }
  version_ = static_cast<uint32_t>(random());
}

absl::Status Worker::Work() {
  const double before = ThreadSeconds();
  absl::Status status = WorkNow();
  thread_seconds_ = ThreadSeconds() - before;
  return status;
}

absl::Status Worker::WorkNow() {
  last_ticks_ = NowTicks();
  switch (workload_.action) {
    case Action::kScan:
      return ScanAll();
    case Action::kMultiGet:
      return MultiGetAll();
    default:
      return DoAll();
  }
}

absl::Status Worker::DoAll() {
  for (const Operation& operation : plan_) {
    const absl::Status status =
        Do(operation.other != 0 ? workload_.other : workload_.action,
           IndexFor(operation));
    if (!status.ok()) return status;
    Note(1);
    if (Stopped()) return absl::CancelledError("stopped");
  }
  return absl::OkStatus();
}

// The latest keys are those that this thread has inserted, and then those that
// were there before: so each is there, whatever the other threads have done.
uint64_t Worker::IndexFor(const Operation& operation) const {
  if (workload_.order != Order::kLatest) return operation.choice;
  const uint64_t before_last = operation.choice;
  const uint64_t own = next_insert_ - first_insert_;
  if (before_last < own) return next_insert_ - 1 - before_last;
  return present_ - 1 - (before_last - own);
}

absl::Status Worker::Do(Action action, uint64_t index) {
  switch (action) {
    case Action::kPut:
      return Put(index);
    case Action::kInsert:
      return Put(next_insert_++);
    case Action::kGet:
      return Get(index);
    case Action::kGetAbsent:
      return GetAbsent(index);
    case Action::kReadModifyWrite: {
      const absl::Status got = Get(index);
      return got.ok() ? Put(index) : got;
    }
    case Action::kDelete:
      return subject_->Delete(Key(index).view());
    case Action::kRange:
      return ReadRange(index, kRangeRecords);
    case Action::kShortRange:
      return ReadRange(index, 1 + (index * 31 + done()) % kRangeRecords);
    case Action::kMultiGet:
    case Action::kScan:
      break;  // have loops of their own
  }
  return absl::InternalError("no such action");
}

absl::Status Worker::Put(uint64_t index) {
  values_->Make(index, version_++, &value_);
  return subject_->Put(Key(index).view(), value_, workload_.durable);
}

absl::Status Worker::Get(uint64_t index) {
  const Key key(index);
  const absl::Status got = subject_->Get(key.view(), &value_);
  if (!got.ok()) return got;
  return values_->IsOf(index, value_) ? got : WrongValue(key.view());
}

absl::Status Worker::GetAbsent(uint64_t index) {
  const Key key = Key::Absent(index);
  const absl::Status got = subject_->Get(key.view(), &value_);
  if (absl::IsNotFound(got)) return absl::OkStatus();
  return got.ok() ? WrongValue(key.view()) : got;
}

absl::Status Worker::ReadRange(uint64_t index, uint64_t records) {
  uint64_t read = 0;
  uint64_t next = index;
  bool right = true;
  const absl::Status status = subject_->ScanFrom(
      Key(index).view(), [&](std::string_view key, std::string_view value) {
        const std::optional<uint64_t> here = IndexOf(key);
        right = right && here.has_value() && values_->IsOf(*here, value) &&
                (read == 0 ? *here == index : *here >= next);
        next = here.value_or(0) + 1;
        return ++read < records;
      });
  if (!status.ok()) return status;
  const uint64_t least = std::min(records, present_ - index);
  return right && read >= least ? status : WrongValue(Key(index).view());
}

absl::Status Worker::MultiGetAll() {
  std::vector<Key> keys;
  std::vector<std::string_view> views;
  for (size_t first = 0; first < plan_.size(); first += kMultiGetKeys) {
    const size_t count = std::min<size_t>(kMultiGetKeys, plan_.size() - first);
    keys.clear();
    for (size_t i = 0; i < count; ++i) {
      keys.emplace_back(uint64_t{plan_[first + i].choice});
    }
    views.clear();
    for (const Key& key : keys) views.push_back(key.view());
    size_t right = 0;
    const absl::Status status =
        subject_->MultiGet(views, [&](size_t i, std::string_view value) {
          value_.assign(value);
          if (values_->IsOf(plan_[first + i].choice, value_)) ++right;
        });
    if (!status.ok()) return status;
    if (right != count) return WrongValue(views[0]);
    Note(count);
    if (Stopped()) return absl::CancelledError("stopped");
  }
  return absl::OkStatus();
}

absl::Status Worker::ScanAll() {
  constexpr uint64_t kNoted = 100;
  uint64_t read = 0;
  bool right = true;
  const absl::Status status =
      subject_->Scan([&](std::string_view key, std::string_view value) {
        const std::optional<uint64_t> index = IndexOf(key);
        right = right && index.has_value() && values_->IsOf(*index, value);
        if (++read % kNoted == 0) Note(kNoted);
        return right && !Stopped();
      });
  if (!status.ok()) return status;
  if (Stopped()) return absl::CancelledError("stopped");
  Note(read % kNoted);
  if (right && read == present_) return status;
  return absl::DataLossError(absl::StrFormat(
      "a scan of %d records read %d, not all of them right", present_, read));
}

void Worker::Note(uint64_t operations) {
  const uint64_t now = NowTicks();
  latencies_.Add(now - last_ticks_);
  last_ticks_ = now;
  done_.store(done() + operations, std::memory_order_relaxed);
}

}  // namespace stave::bench
