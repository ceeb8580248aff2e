#include "engine/core/multi_get.h"

#include <algorithm>

#include "engine/base/epoch.h"
#include "engine/base/status_macros.h"

namespace stave {
namespace {

// So many slots ahead are prefetched.
constexpr size_t kAhead = 16;
constexpr size_t kGroup = RecordsAhead::kMost;
// Looks without a lock.
constexpr int kMaxTries = 4;

}  // namespace

MultiGet::MultiGet(const State* state, const Reader* reader,
                   Mutex* append_mutex, const Instant* then,
                   absl::Span<const std::string_view> keys,
                   const ReadOptions& options)
    : state_(*state),
      reader_(*reader),
      append_mutex_(append_mutex),
      then_(then),
      keys_(keys),
      options_(options),
      wanted_(keys.size()),
      ahead_(state, reader) {}

void MultiGet::Run(Visit visit) {
  Capture();
  for (size_t begin = 0; begin < keys_.size(); begin += kGroup) {
    const size_t end = std::min(begin + kGroup, keys_.size());
    for (size_t i = begin; i < end; ++i) ahead_.Ask(i, wanted_[i].entry);
    for (size_t i = begin; i < end; ++i) visit(i, Read(i));
  }
}

void MultiGet::Capture() {
  HashAll();
  if (then_ != nullptr) {
    EpochGuard guard;
    FindAll();
    now_ms_ = then_->now_ms;
    PinAll();
    return;
  }
  for (int i = 0; i < kMaxTries; ++i) {
    if (TryToCapture()) return;
  }
  // Only where there is a writer does one get here.
  MutexLock lock(append_mutex_);
  EpochGuard guard;
  FindAll();
  now_ms_ = state_.clock->NowMs();
  PinAll();
}

bool MultiGet::TryToCapture() {
  EpochGuard guard;
  const Publication::Changes before = state_.publication.changes();
  FindAll();
  // This is the instant.
  now_ms_ = state_.clock->NowMs();
  if (state_.publication.changes() != before || before.all % 2 != 0) {
    if (!FindsTheSame()) return false;
    // An entry that was replaced never comes back, but absence does.
    const Publication::Changes after = state_.publication.changes();
    if (after.removals != before.removals && AnyAbsent()) return false;
  }
  PinAll();
  return true;
}

void MultiGet::HashAll() {
  for (size_t i = 0; i < keys_.size(); ++i) {
    wanted_[i].hash = (*state_.hasher)(keys_[i]);
    state_.keydir->PrefetchDirectory(wanted_[i].hash);
  }
}

void MultiGet::FindAll() {
  const Keydir& keydir = *state_.keydir;
  for (size_t i = 0; i < std::min(kAhead, keys_.size()); ++i) {
    keydir.Prefetch(KeyAt(i));
  }
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (i + kAhead < keys_.size()) keydir.Prefetch(KeyAt(i + kAhead));
    wanted_[i].entry = reader_.FindEntry(KeyAt(i), then_);
  }
}

bool MultiGet::FindsTheSame() const {
  for (size_t i = 0; i < keys_.size(); ++i) {
    if (reader_.FindEntry(KeyAt(i), then_) != wanted_[i].entry) return false;
  }
  return true;
}

bool MultiGet::AnyAbsent() const {
  return std::any_of(wanted_.begin(), wanted_.end(), [](const Wanted& wanted) {
    return wanted.entry.absent();
  });
}

void MultiGet::PinAll() {
  for (const Wanted& wanted : wanted_) {
    if (wanted.entry.absent()) continue;
    pins_.Add(state_.segments->Find(wanted.entry.location()));
  }
}

absl::StatusOr<std::string_view> MultiGet::Read(size_t index) {
  const std::string_view key = keys_[index];
  RETURN_IF_ERROR(Reader::CheckKey(key));
  Reader::Found found;
  found.entry = wanted_[index].entry;
  RETURN_IF_ERROR(ReadRecord(index, &found));
  const RecordHeader& header = found.record.header;
  if (header.expires &&
      state_.clock->HasExpired(header.expire_at_ms, now_ms_)) {
    return absl::NotFoundError("");
  }
  RETURN_IF_ERROR(reader_.CheckBody(options_, found));
  const RecordView& record = found.record;
  shown_ = record.memory;
  return state_.ValueOf(*found.segment, record.offset, record.stored(),
                        &restored_);
}

absl::Status MultiGet::ReadRecord(size_t index, Reader::Found* found) {
  if (!ahead_.Take(index, &found->record)) {
    return reader_.ReadRecord(keys_[index], found);
  }
  found->segment = state_.segments->Find(found->entry.location());
  return reader_.CheckRecord(keys_[index], *found);
}

}  // namespace stave
