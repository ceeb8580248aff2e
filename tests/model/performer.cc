#include "tests/model/performer.h"

#include <cstdint>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/status_macros.h"
#include "tests/model/model.h"
#include "tools/stave/record.h"
#include "tools/stave/snapshot_reader.h"

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

// Of a write that depends on its key, these errors are answers.
absl::Status UnlessRefused(const absl::Status& status, Answer* answer) {
  answer->found = status.ok();
  if (!absl::IsAborted(status) && !absl::IsInvalidArgument(status) &&
      !absl::IsOutOfRange(status) && !absl::IsNotFound(status)) {
    return status;
  }
  answer->value = absl::StatusCodeToString(status.code());
  answer->is_covered_by_sync = false;
  return absl::OkStatus();
}

absl::Status CompareAndSet(const Operation& operation, Store* store,
                           Answer* answer) {
  const Change& change = operation.changes.front();
  return UnlessRefused(
      store->CompareAndSet(change.key, change.expected, change.value,
                           {.sync = operation.sync}),
      answer);
}

absl::Status Increment(const Operation& operation, Store* store,
                       Answer* answer) {
  const Change& change = operation.changes.front();
  const absl::StatusOr<int64_t> sum =
      store->Increment(change.key, change.delta, {.sync = operation.sync});
  if (sum.ok()) answer->value = absl::StrCat(*sum);
  return UnlessRefused(sum.status(), answer);
}

absl::Status ExpireAt(const Operation& operation, int64_t now_ms, Store* store,
                      Answer* answer) {
  const Change& change = operation.changes.front();
  const WriteOptions write = {.sync = operation.sync};
  return UnlessRefused(
      change.ttl_ms == Change::kForever
          ? store->Persist(change.key, write)
          : store->ExpireAt(change.key,
                            absl::FromUnixMillis(now_ms + change.ttl_ms),
                            write),
      answer);
}

absl::Status GetAndExpire(const Operation& operation, Store* store,
                          Answer* answer) {
  const Change& change = operation.changes.front();
  answer->is_covered_by_sync = false;
  return UnlessRefused(
      store->Get(change.key, &answer->value,
                 {.refresh_ttl = absl::Milliseconds(change.ttl_ms)}),
      answer);
}

absl::Status Ttl(const std::string& key, Store* store, Answer* answer) {
  const absl::StatusOr<absl::Duration> ttl = store->Ttl(key);
  answer->found = ttl.ok();
  if (absl::IsNotFound(ttl.status())) return absl::OkStatus();
  RETURN_IF_ERROR(ttl.status());
  answer->value = *ttl == absl::InfiniteDuration()
                      ? "forever"
                      : absl::StrCat(absl::ToInt64Milliseconds(*ttl));
  return absl::OkStatus();
}

absl::Status MultiGet(const std::vector<std::string>& keys, Store* store,
                      Contents* contents) {
  const std::vector<std::string_view> views(keys.begin(), keys.end());
  absl::Status first_error;
  store->MultiGet(views, [&](size_t i, absl::StatusOr<std::string_view> value) {
    if (value.ok()) {
      (*contents)[keys[i]] = {std::string(*value)};
    } else if (!absl::IsNotFound(value.status())) {
      first_error.Update(value.status());
    }
  });
  return first_error;
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

// Where keys have an order, they come in it, and backwards as well.
absl::Status CheckOrder(Iterator* iterator, const Contents& contents) {
  iterator->SeekToLast();
  // The hash keydir's iterators can't do that.
  if (absl::IsFailedPrecondition(iterator->status())) return absl::OkStatus();
  const auto is_at = [iterator](const auto& visited) {
    return iterator->Valid() && iterator->key() == visited.first &&
           iterator->value() == visited.second.value;
  };
  for (auto each = contents.rbegin(); each != contents.rend(); ++each) {
    if (!is_at(*each)) return absl::InternalError("no order backwards");
    iterator->Prev();
  }
  if (iterator->Valid()) return absl::InternalError("more keys backwards");
  iterator->Seek("");
  for (const auto& each : contents) {
    if (!is_at(each)) return absl::InternalError("no order");
    iterator->Next();
  }
  return iterator->status();
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
  if (!iterator->status().ok()) return iterator->status();
  return CheckOrder(iterator, *contents);
}

// Of a question, that there is no such key is an answer.
absl::Status UnlessNotFound(const absl::Status& status, bool* found) {
  *found = status.ok();
  return absl::IsNotFound(status) ? absl::OkStatus() : status;
}

// A snapshot stays with the store that was open when it was taken.
absl::Status UnlessOfAnotherStore(const absl::Status& status) {
  return absl::IsInvalidArgument(status) ? absl::OkStatus() : status;
}

absl::Status Make(const Change& change, int64_t now_ms,
                  Transaction* transaction) {
  if (change.is_delete) return transaction->Delete(change.key);
  if (change.ttl_ms == Change::kForever) {
    return transaction->Put(change.key, change.value);
  }
  if (!change.as_moment) {
    return transaction->Put(change.key, change.value,
                            absl::Milliseconds(change.ttl_ms));
  }
  return transaction->PutUntil(change.key, change.value,
                               absl::FromUnixMillis(now_ms + change.ttl_ms));
}

absl::Status Transact(const Operation& operation, int64_t now_ms, Store* store,
                      Answer* answer) {
  const std::unique_ptr<Transaction> transaction = store->Begin();
  RETURN_IF_ERROR(UnlessNotFound(
      transaction->Get(operation.key, &answer->value), &answer->found));
  for (const Change& change : operation.changes) {
    RETURN_IF_ERROR(Make(change, now_ms, transaction.get()));
  }
  const absl::Status status = transaction->Commit({.sync = operation.sync});
  if (!absl::IsAborted(status)) return status;
  *answer = Answer();
  answer->aborted = true;
  return absl::OkStatus();
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
    case Operation::kCompareAndSet:
      RETURN_IF_ERROR(CompareAndSet(operation, store, &answer));
      break;
    case Operation::kIncrement:
      RETURN_IF_ERROR(Increment(operation, store, &answer));
      break;
    case Operation::kExpireAt:
      RETURN_IF_ERROR(ExpireAt(operation, now_ms, store, &answer));
      break;
    case Operation::kGetAndExpire:
      RETURN_IF_ERROR(GetAndExpire(operation, store, &answer));
      break;
    case Operation::kWrite:
      RETURN_IF_ERROR(Write(operation, now_ms, store));
      break;
    case Operation::kTransact:
      RETURN_IF_ERROR(Transact(operation, now_ms, store, &answer));
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
    case Operation::kTtl:
      RETURN_IF_ERROR(Ttl(operation.key, store, &answer));
      break;
    case Operation::kMultiGet:
      RETURN_IF_ERROR(MultiGet(operation.keys, store, &answer.contents));
      break;
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
    case Operation::kHoldSnapshot:
      held_snapshots_.push_back(store->GetSnapshot());
      if (held_snapshots_.size() > Model::kMostHeld) {
        held_snapshots_.pop_front();
      }
      break;
    case Operation::kGetAtSnapshot:
    case Operation::kVisitAtSnapshot:
      RETURN_IF_ERROR(AskSnapshot(operation, store, &answer));
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
    case Operation::kBackup:
      RETURN_IF_ERROR(BackUp(store, &answer));
      break;
    case Operation::kFollow:
      RETURN_IF_ERROR(Follow(&answer));
      break;
    case Operation::kReadFeed:
      RETURN_IF_ERROR(ReadFeed(store, now_ms, &answer));
      break;
    case Operation::kSaveSnapshot:
      RETURN_IF_ERROR(SaveSnapshot(operation, store, &answer));
      break;
    default:
      return absl::InvalidArgumentError("not a call");
  }
  return answer;
}

void Performer::ForgetHeld() {
  held_iterators_.clear();
  held_snapshots_.clear();
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

absl::Status Performer::AskSnapshot(const Operation& operation, Store* store,
                                    Answer* answer) {
  if (held_snapshots_.empty()) return absl::OkStatus();
  const Snapshot* const then =
      held_snapshots_[operation.which % held_snapshots_.size()].get();
  if (operation.kind == Operation::kGetAtSnapshot) {
    const absl::Status status =
        store->Get(operation.key, &answer->value, {.snapshot = then});
    return UnlessOfAnotherStore(UnlessNotFound(status, &answer->found));
  }
  const auto iterator =
      store->NewIterator({.snapshot = then, .prefix = operation.key});
  if (!iterator.ok()) return UnlessOfAnotherStore(iterator.status());
  return VisitAll(iterator->get(), &answer->contents);
}

absl::Status Performer::BackUp(Store* store, Answer* answer) {
  RETURN_IF_ERROR(store->Backup(backup_path_));
  ASSIGN_OR_RETURN(const std::unique_ptr<Store> backup,
                   Store::Open(backup_path_, backup_options_));
  ASSIGN_OR_RETURN(const std::unique_ptr<Iterator> iterator,
                   backup->NewIterator());
  return VisitAll(iterator.get(), &answer->contents);
}

absl::Status Performer::Follow(Answer* answer) {
  if (follower_ == nullptr) {
    ASSIGN_OR_RETURN(follower_, Store::Open(store_path_, follower_options_));
  }
  RETURN_IF_ERROR(follower_->Refresh());
  ASSIGN_OR_RETURN(const std::unique_ptr<Iterator> iterator,
                   follower_->NewIterator());
  return VisitAll(iterator.get(), &answer->contents);
}

// Goes on where it was, also in another process, as long as merges have left
// that; then begins with a copy.
absl::Status Performer::ReadFeed(Store* store, int64_t now_ms, Answer* answer) {
  // Merges on a thread may take what comes next while it is read.
  constexpr int kTries = 100;
  absl::Status status = ReadFeedOnce(store);
  for (int i = 1; i < kTries && absl::IsOutOfRange(status); ++i) {
    status = ReadFeedOnce(store);
  }
  RETURN_IF_ERROR(status);
  for (const auto& [key, held] : copy_) {
    if (held.expire_at_ms > now_ms) answer->contents.emplace(key, held);
  }
  return absl::OkStatus();
}

absl::Status Performer::ReadFeedOnce(Store* store) {
  auto feed = store->NewChangeFeed(copied_);
  if (copied_ == FeedPosition() || absl::IsOutOfRange(feed.status())) {
    feed = store->NewChangeFeed();
    RETURN_IF_ERROR(feed.status());
    ASSIGN_OR_RETURN(const auto iterator, store->NewIterator());
    copy_.clear();
    RETURN_IF_ERROR(VisitAll(iterator.get(), &copy_));
  }
  RETURN_IF_ERROR(feed.status());
  while (true) {
    ASSIGN_OR_RETURN(const bool more, (*feed)->Next());
    if (!more) break;
    Held& held = copy_[std::string((*feed)->key())];
    held = {std::string((*feed)->value())};
    if ((*feed)->kind() == ChangeKind::kDelete) {
      copy_.erase(std::string((*feed)->key()));
    } else if ((*feed)->expire_at() != absl::InfiniteFuture()) {
      held.expire_at_ms = absl::ToUnixMillis((*feed)->expire_at());
    }
  }
  copied_ = (*feed)->position();
  return absl::OkStatus();
}

absl::Status Performer::SaveSnapshot(const Operation& operation, Store* store,
                                     Answer* answer) {
  const absl::Status made = snapshot_disk_->CreateDirectory(snapshot_path_);
  if (!absl::IsAlreadyExists(made)) RETURN_IF_ERROR(made);
  // kBinaryV1 has no place for expiries.
  RETURN_IF_ERROR(store->SaveSnapshot(snapshot_path_ + "/data",
                                      operation.which % 2 == 0
                                          ? SnapshotFormat::kJson
                                          : SnapshotFormat::kBinary));
  ASSIGN_OR_RETURN(const auto directory,
                   snapshot_disk_->OpenDirectory(snapshot_path_));
  ASSIGN_OR_RETURN(const auto file,
                   directory->OpenFile("data", /*writable=*/false));
  ASSIGN_OR_RETURN(const uint64_t size, file->Size());
  std::string bytes(size, '\0');
  RETURN_IF_ERROR(file->Read(0, absl::MakeSpan(bytes)).status());
  std::istringstream input(bytes);
  ASSIGN_OR_RETURN(const auto snapshot,
                   tool::SnapshotReader::Open(&input, "data"));
  return snapshot->Visit([answer](const tool::Record& record) {
    Held held{std::string(record.value)};
    if (record.expire_at != absl::InfiniteFuture()) {
      held.expire_at_ms = absl::ToUnixMillis(record.expire_at);
    }
    answer->contents.emplace(record.key, std::move(held));
    return absl::OkStatus();
  });
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
