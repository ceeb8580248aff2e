#include "engine/core/dictionary_trainer.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "absl/types/span.h"
#include "engine/base/parallel.h"
#include "engine/base/status_macros.h"
#include "engine/core/dictionary_file.h"
#include "engine/format/file_names.h"
#include "engine/log/segment_scanner.h"

namespace stave {
namespace {

// So many times the dictionary's size is enough to learn from; zstd advises
// a hundred times, of which more makes nothing better.
constexpr size_t kLeastSamples = 16;
constexpr size_t kMostSamples = 100;
// It is small values that a dictionary is for: no larger ones are looked at,
// and so much of one.
constexpr size_t kLargestValue = size_t{64} << 10;
constexpr size_t kMostOfAValue = size_t{4} << 10;
// The part of the samples that it is tried on.
constexpr size_t kTriedPart = 8;
// The part that it must save at least.
constexpr uint64_t kLeastSaved = 16;

uint64_t StoredBytes(const Compressor& compressor, std::string_view values,
                     absl::Span<const size_t> sizes) {
  uint64_t bytes = 0;
  for (const size_t size : sizes) {
    std::unique_ptr<char[]> buffer;
    bytes += compressor.Compress(values.substr(0, size), &buffer).bytes.size();
    values.remove_prefix(size);
  }
  return bytes;
}

}  // namespace

DictionaryTrainer::DictionaryTrainer(const Settings& settings,
                                     const Options& options)
    : settings_(settings), options_(options) {
  if (options.compression != Compression::kZstd ||
      options.compression_dictionary_bytes == 0) {
    return;
  }
  const std::vector<DictionaryChange> listed =
      settings_.manifest->state().dictionaries;
  wanted_ = listed.empty();
  if (listed.empty()) return;
  settings_.compressor->Use(
      *settings_.state->dictionaries->Find(listed.back().id));
}

void DictionaryTrainer::OnSeal(SegmentId id) {
  if (!wanted_ || stopping_) return;
  due_ = id;
  if (!options_.background_threads) return;
  MutexLock lock(&mutex_);
  wake_.Signal();
  if (thread_.joinable() || stopping_) return;
  absl::StatusOr<std::thread> thread = StartThread([this] { Run(); });
  // Else the next seal tries again.
  if (thread.ok()) thread_ = *std::move(thread);
}

void DictionaryTrainer::Run() {
  while (wanted_) {
    {
      MutexLock lock(&mutex_);
      while (!stopping_ && due_ == 0) wake_.Wait(&mutex_);
      if (stopping_) return;
    }
    LookAtSealed();
  }
}

void DictionaryTrainer::Stop() {
  std::thread thread;
  {
    MutexLock lock(&mutex_);
    stopping_ = true;
    thread.swap(thread_);
    wake_.SignalAll();
  }
  if (thread.joinable()) thread.join();
}

void DictionaryTrainer::LookAtSealed() {
  MutexLock lock(&work_mutex_);
  const SegmentId id = due_.exchange(0);
  if (id == 0 || !wanted_ || settings_.log->bytes_appended() < not_before_) {
    return;
  }
  const size_t bytes = options_.compression_dictionary_bytes;
  // The latest first. What has an id up to this one's is sealed, too, or is a
  // merge's.
  const std::vector<std::shared_ptr<Segment>> segments =
      settings_.state->segments->All();
  for (auto segment = segments.rbegin();
       segment != segments.rend() && samples_.size() < kMostSamples * bytes;
       ++segment) {
    const bool is_new = looked_at_ < (*segment)->id() && (*segment)->id() <= id;
    if (is_new) Sample(segment->get());
  }
  looked_at_ = id;
  if (samples_.size() < kLeastSamples * bytes) return;
  absl::StatusOr<std::unique_ptr<const Dictionary>> learnt = Learn();
  samples_ = std::string();
  sizes_ = std::vector<size_t>();
  if (learnt.ok() && Install(*std::move(learnt)).ok()) {
    wanted_ = false;
  } else {
    not_before_ = 2 * settings_.log->bytes_appended();
  }
}

// Evenly from all of the segment, as far as there is room.
void DictionaryTrainer::Sample(Segment* segment) {
  const size_t before = samples_.size();
  const uint64_t room =
      kMostSamples * options_.compression_dictionary_bytes - before;
  const uint64_t end = segment->end().load(std::memory_order_acquire);
  SegmentScanner scanner(*segment, end, /*check_bodies=*/false);
  RecordView record;
  std::string buffer;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    const uint64_t taken = samples_.size() - before;
    if (record.header.kind != RecordKind::kPut ||
        taken * end > record.offset * room) {
      continue;
    }
    // What is damaged is no sample, and is found out by others.
    const absl::StatusOr<size_t> size = PlainSize(record.stored());
    if (!size.ok() || *size == 0 || *size > kLargestValue ||
        *size < options_.compression_threshold_bytes) {
      continue;
    }
    const absl::StatusOr<std::string_view> value = settings_.state->ValueOf(
        *segment, record.offset, record.stored(), &buffer);
    if (!value.ok()) continue;
    const std::string_view sample = value->substr(0, kMostOfAValue);
    samples_ += sample;
    sizes_.push_back(sample.size());
  }
}

absl::StatusOr<std::unique_ptr<const Dictionary>> DictionaryTrainer::Learn()
    const {
  const absl::Span<const size_t> sizes = sizes_;
  const absl::Span<const size_t> tried = sizes.last(sizes.size() / kTriedPart);
  const absl::Span<const size_t> learnt =
      sizes.first(sizes.size() - tried.size());
  size_t learnt_bytes = 0;
  for (const size_t size : learnt) learnt_bytes += size;
  const std::string_view all = samples_;
  ASSIGN_OR_RETURN(std::unique_ptr<const Dictionary> dictionary,
                   Dictionary::Train(all.substr(0, learnt_bytes), learnt,
                                     options_.compression_dictionary_bytes));
  const std::string_view values = all.substr(learnt_bytes);
  const Compressor without(options_);
  Compressor with(options_);
  with.Use(*dictionary);
  const uint64_t before = StoredBytes(without, values, tried);
  const uint64_t saved = before / kLeastSaved;
  if (StoredBytes(with, values, tried) + saved >= before) {
    return absl::NotFoundError("a dictionary would save next to nothing");
  }
  return dictionary;
}

absl::Status DictionaryTrainer::Install(
    std::unique_ptr<const Dictionary> dictionary) {
  // I3: it is on the device, and has its name, before an edit lists it.
  const absl::Status written =
      WriteDictionary(settings_.directory, *dictionary);
  if (absl::IsResourceExhausted(written) || absl::IsAlreadyExists(written)) {
    return written;
  }
  // I7: a sync of the directory may have been for others, too.
  if (!written.ok()) return settings_.log->Fail(written);
  const absl::Status listed = settings_.manifest->AppendWithHeadroom(
      {DictionaryChange{dictionary->id(), dictionary->checksum()}});
  if (absl::IsResourceExhausted(listed)) {
    // Nothing has changed, and no record needs it.
    settings_.directory->Unlink(DictionaryFileName(dictionary->id()))
        .IgnoreError();
    return listed;
  }
  if (!listed.ok()) return settings_.log->Fail(listed);
  const Dictionary* const added =
      settings_.state->dictionaries->Add(std::move(dictionary));
  if (added != nullptr) settings_.compressor->Use(*added);
  return absl::OkStatus();
}

}  // namespace stave
