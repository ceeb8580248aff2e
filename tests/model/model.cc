#include "tests/model/model.h"

#include <cstdlib>
#include <memory>
#include <utility>

#include "absl/strings/numbers.h"

namespace stave {
namespace {

// FORMAT.md: a header of 24 bytes, 32 with an expiry, padding to 8.
uint64_t RecordSize(const std::string& key, const Held& held) {
  const uint64_t header = held.expire_at_ms == Change::kForever ? 24 : 32;
  const uint64_t stored =
      held.stored_bytes == 0 ? held.value.size() : held.stored_bytes;
  return (header + key.size() + stored + 7) / 8 * 8;
}

// What a write is told that changes nothing.
Answer Refusal(const char* error) {
  Answer answer;
  answer.value = error;
  answer.is_covered_by_sync = false;
  return answer;
}

}  // namespace

Answer Model::Apply(const Operation& operation) {
  Answer answer;
  switch (operation.kind) {
    case Operation::kPut:
    case Operation::kPutThatExpires:
    case Operation::kWrite:
      for (const Change& change : operation.changes) Apply(change);
      break;
    case Operation::kTransact:
      if (const Held* held = Find(operation.key)) {
        answer.found = true;
        answer.value = held->value;
      }
      for (const Change& change : operation.changes) Apply(change);
      break;
    case Operation::kDelete:
      answer.found = Find(operation.changes.front().key) != nullptr;
      Apply(operation.changes.front());
      break;
    case Operation::kCompareAndSet:
      return CompareAndSet(operation.changes.front());
    case Operation::kIncrement:
      return Increment(operation.changes.front());
    case Operation::kExpireAt:
      return ExpireAt(operation.changes.front());
    case Operation::kGetAndExpire:
      return GetAndExpire(operation.changes.front());
    case Operation::kGet:
    case Operation::kGetPinned:
      if (const Held* held = Find(operation.key)) {
        answer.found = true;
        answer.value = held->value;
      }
      break;
    case Operation::kExists:
      answer.found = Find(operation.key) != nullptr;
      break;
    case Operation::kTtl:
      if (const Held* held = Find(operation.key)) {
        answer.found = true;
        answer.value = held->expire_at_ms == Change::kForever
                           ? "forever"
                           : std::to_string(held->expire_at_ms - now_ms());
      }
      break;
    case Operation::kMultiGet:
      for (const std::string& key : operation.keys) {
        if (const Held* held = Find(key)) answer.contents[key] = {held->value};
      }
      break;
    case Operation::kVisit:
      answer.contents = Live(operation.key);
      break;
    case Operation::kBackup:
    case Operation::kFollow:
    case Operation::kReadFeed:
    case Operation::kSaveSnapshot:
      answer.contents = Live();
      break;
    case Operation::kHoldIterator:
    case Operation::kHoldSnapshot:
    case Operation::kHoldValue:
      Hold(operation);
      break;
    case Operation::kVisitHeld:
      if (held_iterators_.empty()) break;
      answer.contents =
          held_iterators_[operation.which % held_iterators_.size()];
      break;
    case Operation::kGetAtSnapshot:
    case Operation::kVisitAtSnapshot:
      AskSnapshot(operation, &answer);
      break;
    case Operation::kReadHeld:
      if (held_values_.empty()) break;
      answer.found = true;
      answer.value = held_values_[operation.which % held_values_.size()];
      break;
    case Operation::kCount:
      Count(&answer);
      break;
    case Operation::kReopen:
      floor_ms_ = now_ms();  // a clean close remembers what time it is
      wall_ms_ += operation.time_ms;
      EndSnapshots();
      break;
    case Operation::kKill:
      wall_ms_ += operation.time_ms;
      EndSnapshots();
      break;
    case Operation::kPassTime:
      wall_ms_ += operation.time_ms;
      break;
    case Operation::kSync:
    case Operation::kMerge:
    case Operation::kKinds:
      break;
  }
  return answer;
}

Contents Model::Live(const std::string& prefix) const {
  Contents live;
  for (auto each = values_.lower_bound(prefix);
       each != values_.end() && each->first.starts_with(prefix); ++each) {
    if (IsLive(each->second)) live.emplace_hint(live.end(), *each);
  }
  return live;
}

Answer Model::Whole() const {
  Answer answer;
  answer.contents = Live();
  Count(&answer);
  return answer;
}

void Model::Count(Answer* answer) const {
  answer->keys = keys();
  answer->live_bytes = live_bytes_;
  for (const auto& [key, held] : values_) {
    if (IsLive(held)) continue;
    ++answer->expired_keys;
    answer->expired_bytes += RecordSize(key, held);
  }
}

void Model::ForgetHeld() {
  held_iterators_.clear();
  held_snapshots_.clear();
  held_values_.clear();
}

void Model::EndSnapshots() {
  for (std::optional<Contents>& each : held_snapshots_) each = std::nullopt;
}

const Held* Model::Find(const std::string& key) const {
  const auto found = values_.find(key);
  return found == values_.end() || !IsLive(found->second) ? nullptr
                                                          : &found->second;
}

void Model::Apply(const Change& change) {
  if (change.is_delete) {
    // A store that has removed it by itself writes no delete: then it is found
    // expired once more by the next that opens.
    if (Find(change.key) != nullptr) Remove(change.key);
    return;
  }
  Put(change.key, {change.value, MomentOf(change)});
}

int64_t Model::MomentOf(const Change& change) const {
  return change.ttl_ms == Change::kForever ? change.ttl_ms
                                           : now_ms() + change.ttl_ms;
}

void Model::Put(const std::string& key, Held held) {
  if (held.stored_bytes == 0) {
    std::unique_ptr<char[]> buffer;
    held.stored_bytes = compressor_->Compress(held.value, &buffer).bytes.size();
  }
  Remove(key);
  live_bytes_ += RecordSize(key, held);
  values_[key] = std::move(held);
}

void Model::SetExpiry(const std::string& key, int64_t expire_at_ms) {
  Held held = values_.at(key);
  held.expire_at_ms = expire_at_ms;
  Put(key, std::move(held));
}

Answer Model::CompareAndSet(const Change& change) {
  const Held* const held = Find(change.key);
  const bool is_expected = held == nullptr ? !change.expected.has_value()
                                           : held->value == change.expected;
  if (!is_expected) return Refusal("ABORTED");
  Apply(change);
  Answer answer;
  answer.found = true;
  return answer;
}

Answer Model::Increment(const Change& change) {
  const Held* const held = Find(change.key);
  int64_t number = 0;
  if (held != nullptr && !absl::SimpleAtoi(held->value, &number)) {
    return Refusal("INVALID_ARGUMENT");
  }
  if (__builtin_add_overflow(number, change.delta, &number)) {
    return Refusal("OUT_OF_RANGE");
  }
  Answer answer;
  answer.found = true;
  answer.value = std::to_string(number);
  Put(change.key,
      {answer.value, held == nullptr ? Change::kForever : held->expire_at_ms});
  return answer;
}

Answer Model::ExpireAt(const Change& change) {
  const Held* const held = Find(change.key);
  if (held == nullptr) return Refusal("NOT_FOUND");
  SetExpiry(change.key, MomentOf(change));
  Answer answer;
  answer.found = true;
  return answer;
}

// options.h: nothing is written unless it matters by a quarter.
Answer Model::GetAndExpire(const Change& change) {
  const Held* const held = Find(change.key);
  if (held == nullptr) return Refusal("NOT_FOUND");
  Answer answer;
  answer.found = true;
  answer.value = held->value;
  answer.is_covered_by_sync = false;
  if (held->expire_at_ms == Change::kForever) return answer;
  const int64_t moved_ms = MomentOf(change) - held->expire_at_ms;
  if (4 * std::abs(moved_ms) >= change.ttl_ms) {
    SetExpiry(change.key, MomentOf(change));
  }
  return answer;
}

void Model::Remove(const std::string& key) {
  const auto found = values_.find(key);
  if (found == values_.end()) return;
  live_bytes_ -= RecordSize(key, found->second);
  values_.erase(found);
}

void Model::Hold(const Operation& operation) {
  if (operation.kind == Operation::kHoldIterator) {
    held_iterators_.push_back(Live(operation.key));
    if (held_iterators_.size() > kMostHeld) held_iterators_.pop_front();
  } else if (operation.kind == Operation::kHoldSnapshot) {
    held_snapshots_.push_back(Live());
    if (held_snapshots_.size() > kMostHeld) held_snapshots_.pop_front();
  } else if (const Held* held = Find(operation.key)) {
    held_values_.push_back(held->value);
    if (held_values_.size() > kMostHeld) held_values_.pop_front();
  }
}

void Model::AskSnapshot(const Operation& operation, Answer* answer) const {
  if (held_snapshots_.empty()) return;
  const std::optional<Contents>& then =
      held_snapshots_[operation.which % held_snapshots_.size()];
  if (!then.has_value()) return;
  if (operation.kind == Operation::kVisitAtSnapshot) {
    for (auto each = then->lower_bound(operation.key);
         each != then->end() && each->first.starts_with(operation.key);
         ++each) {
      answer->contents.emplace_hint(answer->contents.end(), *each);
    }
  } else if (const auto held = then->find(operation.key); held != then->end()) {
    answer->found = true;
    answer->value = held->second.value;
  }
}

}  // namespace stave
