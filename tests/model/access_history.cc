#include "tests/model/access_history.h"

#include <map>

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
  if (IsChange(operation.kind)) return AddChanges(deed);
  if (deed.maybe) return;  // a question that nobody has answered
  if (operation.kind == Operation::kVisit) return AddVisit(deed);
  Access access = AccessBy(deed);
  switch (operation.kind) {
    case Operation::kGet:
    case Operation::kGetPinned:
      access.found =
          deed.answer.found ? NumberOf(deed.answer.value) : Access::kAbsent;
      break;
    case Operation::kExists:
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
  const bool is_batch = deed.operation.kind == Operation::kWrite;
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
  for (const auto& [key, access] : last) Of(key).push_back(access);
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
