#include "stave/transaction.h"

#include <algorithm>
#include <utility>

#include "absl/time/clock.h"
#include "engine/base/durability_site.h"
#include "engine/base/random_bits.h"
#include "engine/base/status_macros.h"
#include "engine/core/commit.h"
#include "engine/core/engine.h"
#include "engine/core/instant.h"
#include "engine/core/key_range.h"
#include "engine/core/ordered_transaction_iterator.h"
#include "engine/core/read_set.h"
#include "engine/core/reader.h"
#include "engine/core/transaction_iterator.h"
#include "engine/core/write_set.h"
#include "stave/limits.h"
#include "stave/store.h"
#include "stave/write_batch.h"

namespace stave {
namespace {

// Store::Update tries so often. Whenever one of several that change the same
// keys has to begin again, another one has made it.
constexpr int kMostAttempts = 100;
// Before attempt n it sleeps for up to 2^n of these, but not longer than 2^8.
constexpr absl::Duration kBackoff = absl::Microseconds(8);
constexpr int kMostDoublings = 8;

void BackOff(int attempt) {
  constexpr uint64_t kParts = 1024;
  const absl::Duration longest =
      kBackoff * (1 << std::min(attempt, kMostDoublings));
  absl::SleepFor(longest * static_cast<double>(RandomBits() % kParts) / kParts);
}

absl::Status Ended() {
  return absl::FailedPreconditionError("the transaction has ended");
}

}  // namespace

struct Transaction::Work {
  Work(std::shared_ptr<Store::Engine> of, bool may_write)
      : engine(std::move(of)),
        instant(engine->NewInstant()),
        reads(instant),
        only_reads(!may_write) {}

  // The transaction's own change of the key; null if there is none.
  const PendingChange* Find(std::string_view key) const {
    const auto change = writes->find(key);
    return change == writes->end() ? nullptr : &change->second;
  }
  bool IsLive(const PendingChange& change) const {
    return change.IsLive(absl::FromUnixMillis(instant->now_ms));
  }
  ReadOptions AtInstant() const { return {.snapshot = instant.get()}; }
  // One that only reads has no use for this, and so can be shared by threads.
  void NoteRead(std::string_view key) {
    if (!only_reads) reads.AddKey(key);
  }
  absl::Status Write(std::string_view key, PendingChange change);

  const std::shared_ptr<Store::Engine> engine;
  const std::shared_ptr<const Instant> instant;
  ReadSet reads;
  const bool only_reads;
  // Iterators share it; it is copied before it changes under them.
  std::shared_ptr<WriteSet> writes = std::make_shared<WriteSet>();
};

absl::Status Transaction::Work::Write(std::string_view key,
                                      PendingChange change) {
  RETURN_IF_ERROR(engine->ForWriting().status());
  RETURN_IF_ERROR(stave::Commit::CheckSizes(key, change.value));
  if (writes.use_count() > 1) writes = std::make_shared<WriteSet>(*writes);
  writes->insert_or_assign(std::string(key), std::move(change));
  return absl::OkStatus();
}

Transaction::Transaction(std::unique_ptr<Work> work) : work_(std::move(work)) {}

Transaction::~Transaction() = default;

absl::StatusOr<std::string> Transaction::Get(std::string_view key) const {
  std::string value;
  RETURN_IF_ERROR(Get(key, &value));
  return value;
}

absl::Status Transaction::Get(std::string_view key, std::string* value) const {
  if (work_ == nullptr) return Ended();
  ASSIGN_OR_RETURN(const Reader* const reader, work_->engine->ForReading());
  if (const PendingChange* const change = work_->Find(key)) {
    if (!work_->IsLive(*change)) return absl::NotFoundError("");
    *value = change->value;
    return absl::OkStatus();
  }
  const TimedCall timed(work_->engine->call_times(), Operation::kGet);
  const absl::Status status = reader->Get(key, work_->AtInstant(), value);
  if (status.ok() || absl::IsNotFound(status)) work_->NoteRead(key);
  return status;
}

absl::StatusOr<bool> Transaction::Exists(std::string_view key) const {
  if (work_ == nullptr) return Ended();
  ASSIGN_OR_RETURN(const Reader* const reader, work_->engine->ForReading());
  if (const PendingChange* const change = work_->Find(key)) {
    return work_->IsLive(*change);
  }
  const TimedCall timed(work_->engine->call_times(), Operation::kGet);
  const absl::StatusOr<bool> exists = reader->Exists(key, work_->AtInstant());
  if (exists.ok()) work_->NoteRead(key);
  return exists;
}

absl::StatusOr<std::unique_ptr<Iterator>> Transaction::NewIterator(
    const ReadOptions& options) const {
  if (work_ == nullptr) return Ended();
  RETURN_IF_ERROR(work_->engine->ForReading().status());
  if (options.snapshot != nullptr) {
    return absl::InvalidArgumentError(
        "a transaction reads at its Begin, not at another snapshot");
  }
  if (!work_->only_reads) work_->reads.AddRange(KeyRange(options));
  if (work_->instant->state->keydir->order() != nullptr) {
    return std::make_unique<OrderedTransactionIterator>(work_->instant,
                                                        work_->writes, options);
  }
  return std::make_unique<TransactionIterator>(work_->instant, work_->writes,
                                               options);
}

absl::Status Transaction::Put(std::string_view key, std::string_view value,
                              absl::Duration ttl) {
  if (work_ == nullptr) return Ended();
  if (ttl == absl::InfiniteDuration()) {
    return PutUntil(key, value, absl::InfiniteFuture());
  }
  ASSIGN_OR_RETURN(const stave::Commit* const commit,
                   work_->engine->ForWriting());
  ASSIGN_OR_RETURN(const absl::Time expire_at, commit->After(ttl));
  return PutUntil(key, value, expire_at);
}

absl::Status Transaction::PutUntil(std::string_view key, std::string_view value,
                                   absl::Time expire_at) {
  if (work_ == nullptr) return Ended();
  // As the record will have it.
  if (expire_at != absl::InfiniteFuture()) {
    expire_at = absl::FromUnixMillis(absl::ToUnixMillis(expire_at));
  }
  return work_->Write(key, {std::string(value), expire_at});
}

absl::Status Transaction::Delete(std::string_view key) {
  if (work_ == nullptr) return Ended();
  PendingChange change;
  change.is_delete = true;
  return work_->Write(key, std::move(change));
}

absl::Status Transaction::Commit(const WriteOptions& options) {
  if (work_ == nullptr) return Ended();
  const std::unique_ptr<Work> work = std::move(work_);
  Store::Engine& engine = *work->engine;
  RETURN_IF_ERROR(engine.ForReading().status());
  const bool has_writes = !work->writes->empty();
  if (!has_writes && !options.sync) return absl::OkStatus();
  ASSIGN_OR_RETURN(stave::Commit* const commit, engine.ForWriting());
  if (!has_writes) return commit->Sync();  // all that it may have read
  const TimedCall timed(engine.call_times(), Operation::kWrite);
  WriteBatch batch;
  for (const auto& [key, change] : *work->writes) {
    if (change.is_delete) {
      batch.Delete(key);
    } else {
      batch.PutUntil(key, change.value, change.expire_at);
    }
  }
  const ReadSet& reads = work->reads;
  const auto check_keys = [&reads] {
    return DURABILITY_SITE(kKeysUnchanged, reads.CheckKeys());  // I13
  };
  if (!reads.has_ranges()) {
    return commit->WriteIf(batch, options, check_keys);
  }
  // What many have changed takes a while to look at, so most of that is done
  // before others have to wait for it.
  const std::shared_ptr<const Instant> recent = engine.NewInstant();
  RETURN_IF_ERROR(DURABILITY_SITE(
      kRangesUnchanged, reads.CheckRanges(*work->instant, recent.get())));
  return commit->WriteIf(batch, options, [&]() -> absl::Status {
    RETURN_IF_ERROR(check_keys());
    return DURABILITY_SITE(kRangesUnchanged,
                           reads.CheckRanges(*recent, nullptr));
  });
}

absl::Status Transaction::Rollback() {
  if (work_ == nullptr) return Ended();
  work_ = nullptr;
  return absl::OkStatus();
}

std::unique_ptr<Transaction> Store::Begin() {
  return std::unique_ptr<Transaction>(new Transaction(
      std::make_unique<Transaction::Work>(engine_, /*may_write=*/true)));
}

absl::Status Store::Update(absl::FunctionRef<absl::Status(Transaction&)> body,
                           const WriteOptions& options) {
  for (int attempt = 1;; ++attempt) {
    RETURN_IF_ERROR(engine_->ForWriting().status());
    const std::unique_ptr<Transaction> transaction = Begin();
    RETURN_IF_ERROR(body(*transaction));
    const absl::Status status = transaction->Commit(options);
    if (!absl::IsAborted(status) || attempt == kMostAttempts) return status;
    BackOff(attempt);
  }
}

absl::Status Store::View(
    absl::FunctionRef<absl::Status(const Transaction&)> body) {
  RETURN_IF_ERROR(engine_->ForReading().status());
  const Transaction transaction(
      std::make_unique<Transaction::Work>(engine_, /*may_write=*/false));
  return body(transaction);
}

}  // namespace stave
