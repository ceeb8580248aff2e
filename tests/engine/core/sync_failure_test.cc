#include <string>
#include <thread>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// I7: the first sync that fails makes the store read-only.
class SyncFailureTest : public StoreFixture {
 protected:
  SyncFailureTest() {
    options.segment_size_bytes = 4096;
    options.file_system = &disk_;
    Open();
    for (int i = 0; i < 20; ++i) Put(absl::StrCat("key", i), ValueOf(i, 100));
    contents_ = All();
  }
  ~SyncFailureTest() override {
    if (is_open()) store().Close().IgnoreError();
  }

  void Break(FaultyFileSystem::Operation operation) {
    disk_.Fail(operation, absl::InternalError("the device's own words"));
  }
  static void ExpectFirstError(const absl::Status& status) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(std::string(status.message()).find("the device's own words"),
              std::string::npos)
        << status;
  }
  void ExpectReadOnlyFromNowOn() {
    WriteBatch batch;
    batch.Put("k", "v");
    const int syncs = disk_.calls(FaultyFileSystem::kSyncData);
    for (int i = 0; i < 2; ++i) {
      ExpectFirstError(store().Put("k", "v"));
      ExpectFirstError(store().Delete("key1").status());
      ExpectFirstError(store().Delete("absent").status());
      ExpectFirstError(store().Write(batch));
      ExpectFirstError(store().Sync());
    }
    EXPECT_EQ(disk_.calls(FaultyFileSystem::kSyncData), syncs);
    EXPECT_TRUE(store().GetStatistics().latched);
    EXPECT_NE(store().GetStatistics().first_error.find("device's own words"),
              std::string::npos);
  }

  FaultyFileSystem disk_{PosixFileSystem()};
  Contents contents_;
};

TEST_F(SyncFailureTest, MakesTheStoreReadOnly) {
  Break(FaultyFileSystem::kSyncData);
  ExpectFirstError(store().Sync());
  ExpectReadOnlyFromNowOn();
  EXPECT_EQ(All(), contents_);
}

TEST_F(SyncFailureTest, ThatADurablePutMeetsIsItsAnswer) {
  Break(FaultyFileSystem::kSyncData);
  ExpectFirstError(store().Put("k", "v", {.sync = true}));
  ExpectReadOnlyFromNowOn();
}

TEST_F(SyncFailureTest, ThatASealMeetsReachesTheNextWrites) {
  Break(FaultyFileSystem::kSyncData);
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = store().Put("more", ValueOf(i, 100));
  }
  ExpectFirstError(status);
  ExpectReadOnlyFromNowOn();
}

TEST_F(SyncFailureTest, OfTheDirectoryCountsToo) {
  Break(FaultyFileSystem::kSyncDirectory);
  absl::Status status;
  for (int i = 0; i < 100 && status.ok(); ++i) {
    status = store().Put("more", ValueOf(i, 100));
  }
  ExpectFirstError(status);
  ExpectReadOnlyFromNowOn();
}

TEST_F(SyncFailureTest, IsTheAnswerOfCloseEachTime) {
  Break(FaultyFileSystem::kSyncData);
  ExpectFirstError(store().Close());
  ExpectFirstError(store().Close());
  EXPECT_TRUE(absl::IsFailedPrecondition(store().Put("k", "v")));
}

TEST_F(SyncFailureTest, IsOverWhenTheStoreIsOpenedAgain) {
  Break(FaultyFileSystem::kSyncData);
  ExpectFirstError(store().Sync());
  ExpectFirstError(store().Close());
  Open();
  EXPECT_EQ(All(), contents_);
  Put("k", "v", {.sync = true});
  EXPECT_EQ(Get("k"), "v");
  EXPECT_FALSE(store().GetStatistics().latched);
}

TEST_F(SyncFailureTest, InTheBackgroundReachesTheNextWrites) {
  Close();
  options.background_threads = true;
  options.sync_interval = absl::Milliseconds(1);
  Open();
  Break(FaultyFileSystem::kSyncData);
  // Without an answer the test runs out of time.
  absl::Status status;
  while (status.ok()) status = store().Put("more", "m");
  ExpectFirstError(status);
  EXPECT_TRUE(store().GetStatistics().latched);
}

TEST_F(SyncFailureTest, ReachesEveryWriterThatWaits) {
  disk_.FailAlways(FaultyFileSystem::kSyncData,
                   absl::InternalError("the device's own words"));
  std::vector<std::thread> writers;
  for (int i = 0; i < 4; ++i) {
    writers.emplace_back([this, i] {
      ExpectFirstError(
          store().Put(absl::StrCat("thread", i), "v", {.sync = true}));
    });
  }
  for (std::thread& writer : writers) writer.join();
}

}  // namespace
}  // namespace stave
