#ifndef STAVE_TESTS_ENGINE_LOG_LOG_FIXTURE_H_
#define STAVE_TESTS_ENGINE_LOG_LOG_FIXTURE_H_

#include <atomic>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "absl/types/span.h"
#include "engine/base/engine_clock.h"
#include "engine/base/mutex.h"
#include "engine/format/file_names.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/log.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_scanner.h"
#include "engine/log/segment_set.h"
#include "engine/log/segment_writer.h"
#include "gtest/gtest.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {

using Files = FaultyFileSystem;
using Keys = std::vector<std::string>;

// Holds the header and four records of 32 bytes.
inline constexpr uint64_t kFourRecords = kSegmentHeaderBytes + 4 * 32;

inline PendingRecord Record(std::string_view key, std::string_view value) {
  PendingRecord record;
  record.key = key;
  record.value = value;
  record.header.key_size = static_cast<uint16_t>(key.size());
  record.header.value_size = static_cast<uint32_t>(value.size());
  record.header.body = BodyChecksum(key, value);
  return record;
}

// A log in a directory of its own, in segments of kFourRecords. Without
// threads unless a test asks for them, so that it repeats itself exactly.
class LogFixture : public testing::Test {
 protected:
  LogFixture() : directory_(files_.OpenDirectory(temporary_.path()).value()) {
    ManifestState state;
    state.base.store_id = 1;
    manifest_ = Manifest::Create(directory_.get(), state).value();
  }

  Log::Settings Settings() {
    Log::Settings settings;
    settings.directory = directory_.get();
    settings.manifest = manifest_.get();
    settings.segments = segments_.get();
    settings.clock = &clock_;
    settings.next_capacity = [this] { return capacity_.load(); };
    settings.sync_interval = absl::InfiniteDuration();
    settings.background_threads = false;
    settings.mapped = true;
    return settings;
  }
  void Open() { Open(Settings()); }
  void Open(const Log::Settings& settings) {
    log_ = std::make_unique<Log>(settings, nullptr, 0);
  }
  void OpenWithThreads() {
    Log::Settings settings = Settings();
    settings.background_threads = true;
    Open(settings);
  }

  absl::StatusOr<Log::Place> TryPut(std::string_view key,
                                    std::string_view value) {
    const PendingRecord record = Record(key, value);
    MutexLock lock(&log_->append_mutex());
    const absl::Status room = log_->MakeRoom(record.size());
    if (!room.ok()) return room;
    return log_->Append(record);
  }
  Log::Place Put(std::string_view key, std::string_view value = "") {
    return TryPut(key, value).value();
  }
  absl::StatusOr<std::vector<Log::Place>> TryPutBatch(const Keys& keys) {
    std::vector<PendingRecord> records;
    for (const std::string& key : keys) records.push_back(Record(key, ""));
    MutexLock lock(&log_->append_mutex());
    const absl::Status room = log_->MakeRoom(Log::BatchSize(records));
    if (!room.ok()) return room;
    return log_->AppendBatch(records);
  }
  absl::Status Sync() {
    Sequence last_change = 0;
    {
      MutexLock lock(&log_->append_mutex());
      last_change = log_->last_change();
    }
    return log_->SyncThrough(last_change);
  }

  // What the files hold, as recovery would read them: keys in log order.
  Keys KeysOnDisk() {
    Keys keys;
    Sequence last_sequence = 0;
    for (const ListedSegment& listed : manifest_->state().segments) {
      ScanFile(listed, &last_sequence, [&](const RecordView& record) {
        if (!record.key.empty()) keys.emplace_back(record.key);
      });
    }
    return keys;
  }
  std::vector<SyncMark> MarksOnDisk() {
    std::vector<SyncMark> marks;
    Sequence last_sequence = 0;
    for (const ListedSegment& listed : manifest_->state().segments) {
      ScanFile(listed, &last_sequence, [&](const RecordView& record) {
        SyncMark mark;
        if (DecodeSyncMark(record.value, &mark)) marks.push_back(mark);
      });
    }
    return marks;
  }
  void ScanFile(const ListedSegment& listed, Sequence* last_sequence,
                const std::function<void(const RecordView&)>& visit) {
    const std::string bytes = BytesOf(SegmentFileName(listed.header.id));
    SegmentScanner scanner(bytes,
                           SegmentSeed(listed.header.salt, listed.header.id),
                           /*check_bodies=*/true);
    RecordView record;
    SegmentScanner::Step step;
    while ((step = scanner.Next(&record)) == SegmentScanner::Step::kRecord) {
      EXPECT_EQ(record.header.sequence, ++*last_sequence);
      visit(record);
    }
    EXPECT_EQ(step, SegmentScanner::Step::kCleanEnd) << scanner.problem();
    if (!listed.sealed.has_value()) return;
    EXPECT_EQ(scanner.summary(), *listed.sealed);
    EXPECT_EQ(bytes.size(), listed.sealed->length);
  }
  std::string BytesOf(std::string_view name) {
    auto file = directory_->OpenFile(name, /*writable=*/false).value();
    std::string bytes(file->Size().value(), 'x');
    EXPECT_TRUE(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).ok());
    return bytes;
  }

  size_t SealedSegments() {
    size_t sealed = 0;
    for (const ListedSegment& segment : manifest_->state().segments) {
      if (segment.sealed.has_value()) ++sealed;
    }
    return sealed;
  }
  size_t ListedSegments() { return manifest_->state().segments.size(); }

  // For what threads of the log are bound to do at some time.
  static void WaitUntil(const std::function<bool()>& done) {
    while (!done()) std::this_thread::yield();
  }
  static void OnThreads(int count, const std::function<void(int)>& body) {
    std::vector<std::thread> threads;
    for (int i = 0; i < count; ++i) threads.emplace_back(body, i);
    for (std::thread& thread : threads) thread.join();
  }

  const TemporaryDirectory temporary_;
  FaultyFileSystem files_{PosixFileSystem()};
  const std::unique_ptr<Directory> directory_;
  ManualClock wall_clock_{absl::FromUnixSeconds(1000)};
  EngineClock clock_{&wall_clock_, /*floor_ms=*/0};
  std::atomic<uint64_t> capacity_{kFourRecords};
  const std::unique_ptr<SegmentSet> segments_ = SegmentSet::Create().value();
  std::unique_ptr<Manifest> manifest_;
  std::unique_ptr<Log> log_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_LOG_LOG_FIXTURE_H_
