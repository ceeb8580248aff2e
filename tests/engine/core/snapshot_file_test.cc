#include <atomic>
#include <cstdint>
#include <filesystem>
#include <string>
#include <thread>

#include "absl/status/status.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "engine/fs/posix_file_system.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/store_fixture.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

using Files = FaultyFileSystem;

// Each look at it is an hour after the one before, so no wait is one.
class LeapingClock : public Clock {
 public:
  absl::Time WallNow() override { return absl::FromUnixSeconds(1); }
  absl::Duration Elapsed() override { return absl::Hours(1) * ++looks_; }
  int64_t looks() const { return looks_; }

 private:
  std::atomic<int64_t> looks_{0};
};

// Snapshot files in a directory of their own.
class SnapshotFileTest : public StoreFixture {
 protected:
  SnapshotFileTest() {
    options.file_system = &files_;
    Open();
  }
  ~SnapshotFileTest() override {
    if (is_open()) Close();
  }

  std::string Beside(const std::string& name) const {
    return beside_.path() + "/" + name;
  }
  absl::Status Save(SnapshotFormat format = SnapshotFormat::kJson) {
    return store().SaveSnapshot(Beside("data"), format);
  }
  // Everything in that directory.
  DirectoryImage Saved() const { return ReadDirectory(beside_.path()); }

  // Has the store save by itself whenever its thread gets to it.
  void OpenWithThread(const std::string& file) {
    Close();
    options.snapshot_file = file;
    options.snapshot_interval = absl::Hours(1);
    options.background_threads = true;
    options.clock = &leaping_;
    Open();
  }
  void AwaitSaves(uint64_t saves) {
    while (store().GetStatistics().snapshot_files < saves) {
      std::this_thread::yield();
    }
  }

  const TemporaryDirectory beside_;
  Files files_{PosixFileSystem()};
  LeapingClock leaping_;
};

constexpr char kHead[] =
    "{\"version\":1,\"timestamp\":\"2023-11-14T22:13:20Z\",\"data\":{";

TEST_F(SnapshotFileTest, AllPairsAreSavedAsText) {
  EXPECT_EQ(Save(), absl::OkStatus());
  EXPECT_EQ(Saved(), (DirectoryImage{{"data", std::string(kHead) + "}}\n"}}));
  Put("user:1", "Alice", {.ttl = absl::Seconds(5)});
  Put("\xff", "1");
  EXPECT_EQ(Save(), absl::OkStatus());
  EXPECT_EQ(
      Saved(),
      (DirectoryImage{{"data", std::string(kHead) +
                                   "\"user:1\":\"Alice\"},\"expire_at_ms\":{"
                                   "\"user:1\":1700000005000},\"binary\":[{"
                                   "\"key_base64\":\"/w==\","
                                   "\"value_base64\":\"MQ==\"}]}\n"}}));
  EXPECT_EQ(store().GetStatistics().snapshot_files, 2u);
}

TEST_F(SnapshotFileTest, BinaryOnesHaveTheirVersions) {
  using std::string_literals::operator""s;
  Put("k", "v");
  EXPECT_EQ(Save(SnapshotFormat::kBinaryV1), absl::OkStatus());
  const std::string body = "\0\xf1\x53\x65\0\0\0\0\1\0\0\0\1\0\0\0k\1\0\0\0v"s;
  EXPECT_EQ(Saved()["data"], "\xdb\x56\x4b\0\1\0\0\0"s + body);
  EXPECT_EQ(Save(SnapshotFormat::kBinary), absl::OkStatus());
  EXPECT_EQ(Saved()["data"].substr(0, 38),
            "\xdb\x56\x4b\0\2\0\0\0"s + body + std::string(8, '\0'));
  EXPECT_EQ(Saved()["data"].size(), 42u);
}

TEST_F(SnapshotFileTest, ItIsTheStoreOfOneInstant) {
  for (int i = 0; i < 100; ++i) Put("key" + std::to_string(i), "old");
  EXPECT_EQ(Save(), absl::OkStatus());
  const DirectoryImage before = Saved();
  files_.Before(Files::kCreateFile, [this] {
    EXPECT_EQ(store().Put("key7", "new"), absl::OkStatus());
    EXPECT_EQ(store().Put("more", "new"), absl::OkStatus());
  });
  EXPECT_EQ(Save(), absl::OkStatus());
  files_.Before(Files::kCreateFile, nullptr);
  EXPECT_EQ(Saved(), before);
}

// What waits for the device is bounded.
TEST_F(SnapshotFileTest, LargeOnesAreSyncedOnTheWay) {
  Put("a", std::string(33 << 20, 'a'));
  const int syncs = files_.calls(Files::kSyncData);
  EXPECT_EQ(Save(SnapshotFormat::kBinary), absl::OkStatus());
  EXPECT_EQ(files_.calls(Files::kSyncData) - syncs, 2);
}

TEST_F(SnapshotFileTest, WhatTheFormatHasNoPlaceForLeavesTheOldFile) {
  Put("a", "1");
  EXPECT_EQ(Save(SnapshotFormat::kBinaryV1), absl::OkStatus());
  const DirectoryImage before = Saved();
  Put("b\n", "2", {.ttl = absl::Seconds(5)});
  const absl::Status status = Save(SnapshotFormat::kBinaryV1);
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.ToString().find("'b\\n'"), std::string::npos) << status;
  EXPECT_EQ(Saved(), before);
}

TEST_F(SnapshotFileTest, EachFailureIsCountedAndLeavesAWholeFile) {
  Put("a", "1");
  ASSERT_EQ(Save(), absl::OkStatus());
  uint64_t failures = 0;
  for (const auto call : {Files::kCreateFile, Files::kWrite, Files::kSyncData,
                          Files::kRename, Files::kSyncDirectory}) {
    const DirectoryImage before = Saved();
    Put("a", std::to_string(failures));
    files_.Fail(call, DiskBroken());
    EXPECT_EQ(Save(), DiskBroken());
    // Only the last one comes when the new file has its name.
    if (call != Files::kSyncDirectory) {
      EXPECT_EQ(Saved(), before);
    }
    Statistics statistics = store().GetStatistics();
    EXPECT_EQ(statistics.snapshot_file_failures, ++failures);
    EXPECT_EQ(statistics.snapshot_file_error, DiskBroken().message());
    EXPECT_FALSE(statistics.latched);
    EXPECT_EQ(Save(), absl::OkStatus());
    EXPECT_EQ(store().GetStatistics().snapshot_file_error, "");
    EXPECT_EQ(Saved().size(), 1u);
  }
}

TEST_F(SnapshotFileTest, WhatACrashHasLeftGoesWithTheNextSave) {
  WriteFile(Beside("data.unfinished"), "half of");
  EXPECT_EQ(Save(), absl::OkStatus());
  EXPECT_EQ(Saved().size(), 1u);
  EXPECT_EQ(Saved().count("data"), 1u);
}

TEST_F(SnapshotFileTest, SomePlacesAreNone) {
  using std::string_literals::operator""s;
  for (const std::string& path :
       {""s, "/"s, beside_.path() + "/", beside_.path() + "/..",
        Beside("a\0b"s), PathOf("data")}) {
    const absl::Status status = store().SaveSnapshot(path);
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << path << ": " << status;
  }
  std::filesystem::create_directory(Beside("directory"));
  std::filesystem::create_symlink("directory", Beside("link"));
  for (const char* name : {"directory", "link"}) {
    EXPECT_TRUE(absl::IsInvalidArgument(store().SaveSnapshot(Beside(name))));
    std::filesystem::remove(Beside(name));
  }
  EXPECT_TRUE(absl::IsNotFound(store().SaveSnapshot(Beside("none/data"))));
  EXPECT_TRUE(absl::IsInvalidArgument(
      store().SaveSnapshot(Beside("data"), static_cast<SnapshotFormat>(3))));
  EXPECT_TRUE(Saved().empty());
}

TEST_F(SnapshotFileTest, OptionsThatMakeNoSenseAreRefused) {
  Close();
  const auto expect_refused = [this](const char* what) {
    EXPECT_TRUE(absl::IsInvalidArgument(TryOpen())) << what;
  };
  options.snapshot_file = Beside("data");
  expect_refused("without threads");
  options.background_threads = true;
  options.snapshot_interval = absl::ZeroDuration();
  expect_refused("without an interval");
  options.snapshot_interval = absl::Seconds(1);
  options.snapshot_format = static_cast<SnapshotFormat>(3);
  expect_refused("without a format");
  options.snapshot_format = SnapshotFormat::kBinary;
  options.snapshot_file = PathOf("data");
  expect_refused("in its own directory");
  options.snapshot_file = Beside("data");
  EXPECT_EQ(TryOpen(), absl::OkStatus());
}

// Neither a store nor its directory.
TEST_F(SnapshotFileTest, NothingIsMadeForOptionsThatAreRefused) {
  const std::string path = Beside("new");
  const auto expect_refused = [&](const std::string& file) {
    options.snapshot_file = file;
    const absl::Status status = Store::Open(path, options).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << file << ": " << status;
  };
  options.background_threads = true;
  std::filesystem::create_directory(Beside("directory"));
  for (const std::string& file :
       {Beside("directory"), Beside(".."), PathOf("data"),
        Beside(std::string(250, 'n')), Beside("none/" + std::string(250, 'n')),
        path + "/data", Beside("./new//data")}) {
    expect_refused(file);
    EXPECT_FALSE(std::filesystem::exists(path)) << file;
  }
  std::filesystem::create_directory(path);
  expect_refused(path + "/data");
  EXPECT_TRUE(std::filesystem::is_empty(path));
}

TEST_F(SnapshotFileTest, ANewStoreIsKnownByAnyOfItsNames) {
  const std::filesystem::path before = std::filesystem::current_path();
  std::filesystem::current_path(beside_.path());
  options.background_threads = true;
  options.snapshot_file = std::filesystem::current_path() / "new/data";
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open("new", options).status()));
  EXPECT_FALSE(std::filesystem::exists("new"));
  // A link is followed when there is something at its end.
  std::filesystem::create_directory("new");
  std::filesystem::create_symlink("new", "link");
  options.snapshot_file = "link/data";
  EXPECT_TRUE(absl::IsInvalidArgument(Store::Open("new", options).status()));
  std::filesystem::current_path(before);
}

TEST_F(SnapshotFileTest, ANameLeavesRoomForTheOneBesideIt) {
  EXPECT_EQ(store().SaveSnapshot(Beside(std::string(244, 'n'))),
            absl::OkStatus());
  const absl::Status status =
      store().SaveSnapshot(Beside(std::string(245, 'n')));
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_NE(status.ToString().find("at most 244"), std::string::npos) << status;
}

TEST_F(SnapshotFileTest, AThreadSavesWhatHasChanged) {
  WriteFile(Beside("data.unfinished"), "half of");
  OpenWithThread(Beside("data"));
  AwaitSaves(1);
  EXPECT_EQ(Saved().size(), 1u);
  Put("a", "1");
  AwaitSaves(2);
  EXPECT_NE(Saved()["data"].find("{\"a\":\"1\"}"), std::string::npos);
  // When nothing has changed, many intervals are nothing to it.
  const int64_t looks = leaping_.looks();
  while (leaping_.looks() < looks + 100) std::this_thread::yield();
  EXPECT_EQ(store().GetStatistics().snapshot_files, 2u);
}

TEST_F(SnapshotFileTest, AThreadGoesOnAfterFailures) {
  OpenWithThread(Beside("none/data"));
  Put("a", "1");
  while (store().GetStatistics().snapshot_file_failures < 3) {
    std::this_thread::yield();
  }
  EXPECT_NE(store().GetStatistics().snapshot_file_error, "");
  EXPECT_EQ(Get("a"), "1");
}

TEST_F(SnapshotFileTest, AnOpenRemovesWhatACrashHasLeft) {
  WriteFile(Beside("data.unfinished"), "half of");
  Close();
  options.snapshot_file = Beside("data");
  options.background_threads = true;
  Open();
  EXPECT_TRUE(Saved().empty());
}

TEST_F(SnapshotFileTest, CloseEndsASave) {
  Put("a", std::string(300'000, 'a'));
  Put("b", std::string(300'000, 'b'));
  std::atomic<bool> began{false};
  std::thread closer;
  files_.Before(Files::kWrite, [&] {
    if (began.exchange(true)) return;
    closer =
        std::thread([this] { EXPECT_EQ(store().Close(), absl::OkStatus()); });
    while (store().Exists("a").ok()) std::this_thread::yield();
  });
  const absl::Status status = Save();
  closer.join();
  files_.Before(Files::kWrite, nullptr);
  EXPECT_TRUE(absl::IsCancelled(status)) << status;
  EXPECT_TRUE(Saved().empty());
  EXPECT_EQ(store().GetStatistics().snapshot_file_failures, 0u);
  EXPECT_TRUE(absl::IsFailedPrecondition(Save()));
}

TEST_F(SnapshotFileTest, AReadOnlyStoreSavesOnlyWhenItIsTold) {
  Put("a", "1");
  Close();
  options.read_only = true;
  options.snapshot_file = Beside("by itself");
  options.snapshot_interval = absl::Nanoseconds(1);
  Open();
  EXPECT_EQ(Save(), absl::OkStatus());
  EXPECT_EQ(Saved().size(), 1u);
  EXPECT_EQ(Saved().count("data"), 1u);
}

}  // namespace
}  // namespace stave
