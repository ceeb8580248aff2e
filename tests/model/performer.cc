#include "tests/model/performer.h"

#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/base/status_macros.h"
#include "tests/model/model.h"

namespace stave {
namespace {

absl::Status Put(const Operation& operation, int64_t now_ms, Store* store) {
  const Change& change = operation.changes.front();
  WriteOptions write = {.sync = operation.sync};
  if (change.ttl_ms != Change::kForever) {
    if (change.as_moment) {
      write.expire_at = absl::FromUnixMillis(now_ms + change.ttl_ms);
    } else {
      write.ttl = absl::Milliseconds(change.ttl_ms);
    }
  }
  return store->Put(change.key, change.value, write);
}

absl::Status Write(const Operation& operation, int64_t now_ms, Store* store) {
  WriteBatch batch;
  for (const Change& change : operation.changes) {
    if (change.is_delete) {
      batch.Delete(change.key);
    } else if (change.ttl_ms == Change::kForever) {
      batch.Put(change.key, change.value);
    } else if (change.as_moment) {
      batch.PutUntil(change.key, change.value,
                     absl::FromUnixMillis(now_ms + change.ttl_ms));
    } else {
      batch.Put(change.key, change.value, absl::Milliseconds(change.ttl_ms));
    }
  }
  return store->Write(batch, {.sync = operation.sync});
}

absl::Status VisitAll(Iterator* iterator, Contents* contents) {
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    Held held{std::string(iterator->value())};
    if (iterator->expiry() != absl::InfiniteFuture()) {
      held.expire_at_ms = absl::ToUnixMillis(iterator->expiry());
    }
    const auto [place, is_new] =
        contents->emplace(iterator->key(), std::move(held));
    if (is_new) continue;
    return absl::InternalError(absl::StrCat("visited twice: ", place->first));
  }
  return iterator->status();
}

// Of a question, that there is no such key is an answer.
absl::Status UnlessNotFound(const absl::Status& status, bool* found) {
  *found = status.ok();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

}  // namespace

absl::StatusOr<Answer> Performer::Perform(const Operation& operation,
                                          int64_t now_ms, Store* store) {
  Answer answer;
  switch (operation.kind) {
    case Operation::kPut:
    case Operation::kPutThatExpires:
      RETURN_IF_ERROR(Put(operation, now_ms, store));
      break;
    case Operation::kDelete: {
      ASSIGN_OR_RETURN(answer.found,
                       store->Delete(operation.changes.front().key,
                                     {.sync = operation.sync}));
      break;
    }
    case Operation::kWrite:
      RETURN_IF_ERROR(Write(operation, now_ms, store));
      break;
    case Operation::kSync:
      RETURN_IF_ERROR(store->Sync());
      break;
    case Operation::kGet:
      RETURN_IF_ERROR(UnlessNotFound(store->Get(operation.key, &answer.value),
                                     &answer.found));
      break;
    case Operation::kExists: {
      ASSIGN_OR_RETURN(answer.found, store->Exists(operation.key));
      break;
    }
    case Operation::kGetPinned:
    case Operation::kHoldValue:
    case Operation::kReadHeld:
      RETURN_IF_ERROR(Pin(operation, store, &answer));
      break;
    case Operation::kVisit:
    case Operation::kHoldIterator:
    case Operation::kVisitHeld:
      RETURN_IF_ERROR(Visit(operation, store, &answer));
      break;
    case Operation::kCount: {
      const Statistics statistics = store->GetStatistics();
      answer.keys = statistics.keys;
      answer.live_bytes = statistics.live_bytes;
      break;
    }
    case Operation::kMerge:
      RETURN_IF_ERROR(store->Merge({.all = operation.all}));
      break;
    default:
      return absl::InvalidArgumentError("not a call");
  }
  return answer;
}

void Performer::ForgetHeld() {
  held_iterators_.clear();
  held_values_.clear();
}

absl::Status Performer::Pin(const Operation& operation, Store* store,
                            Answer* answer) {
  if (operation.kind == Operation::kReadHeld) {
    if (held_values_.empty()) return absl::OkStatus();
    answer->found = true;
    answer->value = held_values_[operation.which % held_values_.size()].view();
    return absl::OkStatus();
  }
  absl::StatusOr<PinnedValue> pinned = store->GetPinned(operation.key);
  bool found = false;
  RETURN_IF_ERROR(UnlessNotFound(pinned.status(), &found));
  if (!found) return absl::OkStatus();
  if (operation.kind == Operation::kGetPinned) {
    answer->found = true;
    answer->value = pinned->view();
    return absl::OkStatus();
  }
  held_values_.push_back(*std::move(pinned));
  if (held_values_.size() > Model::kMostHeld) held_values_.pop_front();
  return absl::OkStatus();
}

absl::Status Performer::Visit(const Operation& operation, Store* store,
                              Answer* answer) {
  if (operation.kind == Operation::kVisitHeld) {
    if (held_iterators_.empty()) return absl::OkStatus();
    return VisitAll(
        held_iterators_[operation.which % held_iterators_.size()].get(),
        &answer->contents);
  }
  ASSIGN_OR_RETURN(std::unique_ptr<Iterator> iterator,
                   store->NewIterator({.prefix = operation.key}));
  if (operation.kind == Operation::kVisit) {
    return VisitAll(iterator.get(), &answer->contents);
  }
  held_iterators_.push_back(std::move(iterator));
  if (held_iterators_.size() > Model::kMostHeld) held_iterators_.pop_front();
  return absl::OkStatus();
}

absl::StatusOr<Answer> Whole(Store* store) {
  Answer answer;
  ASSIGN_OR_RETURN(const std::unique_ptr<Iterator> iterator,
                   store->NewIterator());
  RETURN_IF_ERROR(VisitAll(iterator.get(), &answer.contents));
  const Statistics statistics = store->GetStatistics();
  answer.keys = statistics.keys;
  answer.live_bytes = statistics.live_bytes;
  return answer;
}

}  // namespace stave
