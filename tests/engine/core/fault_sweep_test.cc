#include <filesystem>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/core/written_file_system.h"
#include "tests/engine/fs/faulty_file_system.h"

namespace stave {
namespace {

// Each call to the file system fails in its turn, once and from then on, while
// a store is opened, written and closed. Whatever comes of it: what was
// acknowledged is there after a reopen, and what was refused for want of space
// is not.
class FaultSweepTest : public StoreFixture,
                       public testing::WithParamInterface<bool> {
 protected:
  FaultSweepTest() {
    options.segment_size_bytes = 1024;
    options.file_system = &faults_;
  }

  // Without the errors of closing, which are expected here.
  void Abandon() {
    if (is_open()) store().Close().IgnoreError();
  }

  std::string ValueIn(const Contents& contents, const std::string& key) {
    const auto found = contents.find(key);
    return found == contents.end() ? "NOT_FOUND" : found->second;
  }

  void Change(int i) {
    const std::string key = absl::StrCat("key", i % 13);
    const WriteOptions write = {.sync = i % 7 == 0};
    Contents changed = contents_;
    absl::Status status;
    if (i % 5 == 4) {
      status = store().Delete(key, write).status();
      changed.erase(key);
    } else {
      changed[key] = ValueOf(i, 90);
      status = store().Put(key, changed[key], write);
    }
    const std::string now = Get(key);
    const bool is_there = now == ValueIn(changed, key);
    const bool is_as_before = now == ValueIn(contents_, key);
    if (status.ok()) {
      EXPECT_TRUE(is_there) << "change " << i;
    } else if (absl::IsResourceExhausted(status)) {
      EXPECT_TRUE(is_as_before) << "change " << i << ": " << status;
    } else {
      // It may or may not have been made.
      EXPECT_TRUE(is_there || is_as_before) << "change " << i;
    }
    if (is_there) contents_ = changed;
  }

  // Returns whether the fault was met.
  bool Run(FaultyFileSystem::Operation operation, const absl::Status& error,
           int nth, bool always) {
    WriteDirectory(path(), start_);
    contents_ = start_contents_;
    const int calls = faults_.calls(operation);
    always ? faults_.FailAlways(operation, error, nth)
           : faults_.Fail(operation, error, nth);
    if (TryOpen().ok()) {
      for (int i = 0; i < 60; ++i) Change(i);
      EXPECT_TRUE(All() == contents_);
      Abandon();
    }
    const bool met = faults_.calls(operation) - calls >= nth;
    faults_.Heal(operation);
    Open();
    EXPECT_TRUE(All() == contents_);
    Put("writable", "again");
    Close();
    return met;
  }

  void Sweep(const absl::Status& error) {
    for (int i = 0; i < FaultyFileSystem::kOperations; ++i) {
      const auto operation = static_cast<FaultyFileSystem::Operation>(i);
      for (const bool always : {false, true}) {
        for (int nth = 1; Run(operation, error, nth, always); ++nth) {
          ASSERT_FALSE(HasFailure()) << "operation " << i << ", call " << nth
                                     << (always ? " and later" : "");
          ++faults_met_;
        }
      }
    }
  }

  // The state that each run begins with.
  void StartFromNothing() {
    std::filesystem::create_directory(path());
    start_ = {};
  }
  void StartFromAKilledStore() {
    Open();
    for (int i = 100; i < 130; ++i) Change(i);
    Kill();
    start_ = Image();
    start_contents_ = contents_;
  }

  WrittenFileSystem written_{PosixFileSystem()};
  FaultyFileSystem faults_{GetParam() ? PosixFileSystem() : &written_};
  DirectoryImage start_;
  Contents start_contents_;
  Contents contents_;
  int faults_met_ = 0;
};

INSTANTIATE_TEST_SUITE_P(, FaultSweepTest, testing::Bool(),
                         [](const auto& test) {
                           return test.param ? "Mapped" : "Written";
                         });

TEST_P(FaultSweepTest, AFullDiskAtEachCall) {
  StartFromNothing();
  Sweep(absl::ResourceExhaustedError("No space left on device"));
  EXPECT_GT(faults_met_, 100);
}

TEST_P(FaultSweepTest, AnErrorOfTheDeviceAtEachCall) {
  StartFromNothing();
  Sweep(absl::InternalError("Input/output error"));
  EXPECT_GT(faults_met_, 100);
}

TEST_P(FaultSweepTest, AFullDiskAtEachCallAfterAKill) {
  StartFromAKilledStore();
  Sweep(absl::ResourceExhaustedError("No space left on device"));
  EXPECT_GT(faults_met_, 100);
}

TEST_P(FaultSweepTest, AnErrorOfTheDeviceAtEachCallAfterAKill) {
  StartFromAKilledStore();
  Sweep(absl::InternalError("Input/output error"));
  EXPECT_GT(faults_met_, 100);
}

}  // namespace
}  // namespace stave
