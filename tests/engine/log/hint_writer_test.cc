#include "engine/log/hint_writer.h"

#include <cstring>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/base/types.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/engine/log/memory_segment.h"

namespace stave {
namespace {

class HintWriterTest : public testing::Test {
 protected:
  // A sealed segment with a record.
  static HintWriter::Sealed SegmentOf(SegmentId id) {
    SegmentImage image({SegmentKind::kLog, id, 0x5a17});
    image.Put("key", "value");
    auto memory = std::make_unique<char[]>(image.size());
    std::memcpy(memory.get(), image.bytes().data(), image.size());
    Segment::Parts parts;
    parts.header = image.header();
    parts.name = SegmentFileName(id);
    parts.mapping = std::make_unique<MemoryMapping>(std::move(memory),
                                                    image.size(), nullptr);
    SegmentScanner scanner(image.bytes(), image.seed(), true);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) continue;
    return {Segment::Adopt(std::move(parts)), scanner.summary()};
  }
  void Start(bool background_thread,
             std::vector<HintWriter::Sealed> missing = {}) {
    writer_ = std::make_unique<HintWriter>(
        directory_.get(), &hasher_, background_thread, std::move(missing));
  }
  bool HasHint(SegmentId id) {
    return directory_->OpenFile(HintFileName(id), false).ok();
  }

  const TemporaryDirectory place_;
  FaultyFileSystem files_{PosixFileSystem()};
  std::unique_ptr<Directory> directory_ =
      files_.OpenDirectory(place_.path()).value();
  const KeyHasher hasher_{HashSecret{}};
  std::unique_ptr<HintWriter> writer_;
};

TEST_F(HintWriterTest, WithoutAThreadAddMakesTheHint) {
  Start(/*background_thread=*/false, {SegmentOf(1)});
  const HintWriter::Sealed sealed = SegmentOf(2);
  writer_->Add(sealed);
  EXPECT_TRUE(HasHint(2));
  EXPECT_GT(sealed.segment->hint_bytes(), 0u);
  EXPECT_FALSE(HasHint(1));
  writer_->Close();
  EXPECT_TRUE(HasHint(1));
}

TEST_F(HintWriterTest, AddDoesNotWaitForTheThread) {
  Mutex mutex;
  Start(/*background_thread=*/true, {SegmentOf(1)});
  {
    MutexLock lock(&mutex);
    files_.Before(FaultyFileSystem::kCreateFile,
                  [&mutex] { MutexLock wait(&mutex); });
    for (const SegmentId id : {2, 3, 4}) writer_->Add(SegmentOf(id));
    EXPECT_FALSE(HasHint(1));
  }
  writer_->Close();
  for (const SegmentId id : {1, 2, 3, 4}) EXPECT_TRUE(HasHint(id)) << id;
}

TEST_F(HintWriterTest, WhatIsNotClosedLeavesTheRestOut) {
  Start(/*background_thread=*/true, {SegmentOf(1)});
  writer_ = nullptr;
  EXPECT_FALSE(HasHint(1));
}

TEST_F(HintWriterTest, ARemovedSegmentGetsNoHint) {
  Start(/*background_thread=*/false, {SegmentOf(1), SegmentOf(2)});
  writer_->Add(SegmentOf(3));
  writer_->Remove(1);
  writer_->Remove(3);
  writer_->Remove(9);
  writer_->Close();
  EXPECT_FALSE(HasHint(1));
  EXPECT_TRUE(HasHint(2));
  EXPECT_FALSE(HasHint(3));
}

TEST_F(HintWriterTest, RemoveWaitsForTheHintThatIsBeingMade) {
  Start(/*background_thread=*/true);
  for (SegmentId id = 1; id <= 200; ++id) {
    writer_->Add(SegmentOf(id));
    writer_->Remove(id);
    EXPECT_FALSE(HasHint(id));
  }
  writer_->Close();
  for (SegmentId id = 1; id <= 200; ++id) EXPECT_FALSE(HasHint(id));
}

TEST_F(HintWriterTest, AnErrorOfOneDoesNotStopTheOthers) {
  Start(/*background_thread=*/true);
  files_.Fail(FaultyFileSystem::kSyncData, DiskBroken());
  for (const SegmentId id : {1, 2, 3}) writer_->Add(SegmentOf(id));
  writer_->Close();
  EXPECT_FALSE(HasHint(1));
  EXPECT_TRUE(HasHint(2));
  EXPECT_TRUE(HasHint(3));
}

}  // namespace
}  // namespace stave
