#include "tests/model/access_history.h"

#include <map>
#include <set>

namespace stave {
namespace {

Access AccessBy(const Deed& deed) {
  Access access;
  access.thread = deed.thread;
  access.begin = deed.begin;
  access.end = deed.end;
  access.maybe = deed.maybe;
  access.call = NameOf(deed.operation.kind);
  return access;
}

}  // namespace

AccessHistory::AccessHistory(const std::vector<std::string>& keys)
    : accesses_(keys.size()) {
  for (size_t i = 0; i < keys.size(); ++i) index_[keys[i]] = i;
}

void AccessHistory::Add(const Deed& deed) {
  const Operation& operation = deed.operation;
  if (deed.answer.aborted) return;  // as if it had never been
  switch (operation.kind) {
    case Operation::kCompareAndSet:
    case Operation::kIncrement:
    case Operation::kExpireAt:
    case Operation::kGetAndExpire:
      return AddReadModifyWrite(deed);
    default:
      break;
  }
  if (IsChange(operation.kind)) return AddChanges(deed);
  if (deed.maybe) return;  // a question that nobody has answered
  if (operation.kind == Operation::kVisit) return AddVisit(deed);
  if (operation.kind == Operation::kMultiGet) return AddMultiGet(deed);
  Access access = AccessBy(deed);
  switch (operation.kind) {
    case Operation::kGet:
    case Operation::kGetPinned:
      access.found =
          deed.answer.found ? NumberOf(deed.answer.value) : Access::kAbsent;
      break;
    case Operation::kExists:
    case Operation::kTtl:
      access.found = deed.answer.found ? Access::kPresent : Access::kAbsent;
      break;
    default:
      return;  // it tells nothing of a key now
  }
  Of(operation.key).push_back(access);
}

void AccessHistory::AddChanges(const Deed& deed) {
  // Of several changes of a key in a batch the last one counts.
  std::map<std::string, Access> last;
  const bool is_transaction = deed.operation.kind == Operation::kTransact;
  const bool is_batch =
      is_transaction || deed.operation.kind == Operation::kWrite;
  if (is_batch) ++batches_;
  for (const Change& change : deed.operation.changes) {
    Access access = AccessBy(deed);
    const bool has_expired = change.ttl_ms <= 0;
    access.written = change.is_delete || has_expired ? Access::kAbsent
                                                     : NumberOf(change.value);
    if (is_batch) access.batch = batches_;
    if (deed.operation.kind == Operation::kDelete && !deed.maybe) {
      access.found = deed.answer.found ? Access::kPresent : Access::kAbsent;
    }
    last[change.key] = access;
  }
  if (is_transaction && !deed.maybe) {
    Access& access =
        last.try_emplace(deed.operation.key, AccessBy(deed)).first->second;
    access.found =
        deed.answer.found ? NumberOf(deed.answer.value) : Access::kAbsent;
  }
  for (const auto& [key, access] : last) Of(key).push_back(access);
}

void AccessHistory::AddReadModifyWrite(const Deed& deed) {
  const Change& change = deed.operation.changes.front();
  const Answer& answer = deed.answer;
  const bool done = answer.found || deed.maybe;
  Access access = AccessBy(deed);
  switch (deed.operation.kind) {
    case Operation::kCompareAndSet:
      access.found = change.expected.has_value() ? NumberOf(*change.expected)
                                                 : Access::kAbsent;
      access.is_other = !done;
      if (done) access.written = NumberOf(change.value);
      break;
    case Operation::kIncrement:
      access.found = Access::kPresent;
      if (!answer.found) break;
      access.found = NumberBefore(std::stoll(answer.value), change.delta);
      access.written = NumberOf(answer.value);
      break;
    case Operation::kExpireAt:
      access.found = done ? Access::kPresent : Access::kAbsent;
      if (done && change.ttl_ms <= 0) access.written = Access::kAbsent;
      break;
    default:
      if (deed.maybe) return;
      access.found = answer.found ? NumberOf(answer.value) : Access::kAbsent;
      break;
  }
  Of(change.key).push_back(access);
}

uint32_t AccessHistory::NumberBefore(int64_t sum, int64_t delta) {
  return sum == delta ? Access::kAbsent : NumberOf(std::to_string(sum - delta));
}

void AccessHistory::AddMultiGet(const Deed& deed) {
  // A key that was asked for twice has one answer.
  const auto& keys = deed.operation.keys;
  for (const std::string& key :
       std::set<std::string>(keys.begin(), keys.end())) {
    Access access = AccessBy(deed);
    const auto held = deed.answer.contents.find(key);
    access.found = held == deed.answer.contents.end()
                       ? Access::kAbsent
                       : NumberOf(held->second.value);
    Of(key).push_back(access);
  }
}

void AccessHistory::AddVisit(const Deed& deed) {
  for (const auto& [key, index] : index_) {
    Access access = AccessBy(deed);
    const auto held = deed.answer.contents.find(key);
    access.found = held == deed.answer.contents.end()
                       ? Access::kAbsent
                       : NumberOf(held->second.value);
    accesses_[index].push_back(access);
  }
}

uint32_t AccessHistory::NumberOf(const std::string& value) {
  return numbers_.emplace(value, numbers_.size() + 1).first->second;
}

std::vector<Access>& AccessHistory::Of(const std::string& key) {
  return accesses_[index_.at(key)];
}

uint64_t AccessHistory::size() const {
  uint64_t size = 0;
  for (const std::vector<Access>& accesses : accesses_) {
    size += accesses.size();
  }
  return size;
}

}  // namespace stave
