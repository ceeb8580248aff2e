#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include <filesystem>
#include <memory>
#include <string>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

class ReadOnlyTest : public StoreFixture {
 protected:
  ReadOnlyTest() {
    options.segment_size_bytes = 1024;
    Open();
    for (int i = 0; i < 30; ++i) PutNumber(i, i);
  }

  void PutNumber(int i, int version) {
    const std::string key = absl::StrCat("key", i);
    contents_[key] = ValueOf(version, 60);
    Put(key, contents_[key]);
  }

  // A second store in the same directory, beside the writer.
  std::unique_ptr<Store> OpenReadOnly() {
    Options read_only = options;
    read_only.read_only = true;
    absl::StatusOr<std::unique_ptr<Store>> opened =
        Store::Open(path(), read_only);
    EXPECT_TRUE(opened.ok()) << opened.status();
    return opened.ok() ? *std::move(opened) : nullptr;
  }
  Contents AllOf(Store& reader) {
    return Visit(reader.NewIterator().value().get());
  }

  Contents contents_;
};

TEST_F(ReadOnlyTest, ShowsWhatWasWrittenBeforeItWasOpened) {
  const auto reader = OpenReadOnly();
  EXPECT_EQ(AllOf(*reader), contents_);
  EXPECT_EQ(reader->Get("key7").value(), contents_["key7"]);
  EXPECT_EQ(reader->GetPinned("key7").value().view(), contents_["key7"]);
  EXPECT_TRUE(reader->Exists("key7").value());
  EXPECT_TRUE(absl::IsNotFound(reader->Get("absent").status()));
}

TEST_F(ReadOnlyTest, DoesNotSeeWhatIsWrittenLater) {
  const auto reader = OpenReadOnly();
  const Contents before = contents_;
  for (int i = 0; i < 60; ++i) PutNumber(i, 1000 + i);
  EXPECT_TRUE(Delete("key1"));
  EXPECT_EQ(AllOf(*reader), before);
  Close();
  EXPECT_EQ(AllOf(*reader), before);
  Open();
  EXPECT_EQ(AllOf(*reader), before);
}

TEST_F(ReadOnlyTest, RefusesEveryWrite) {
  const auto reader = OpenReadOnly();
  WriteBatch batch;
  batch.Put("k", "v");
  for (const absl::Status& status :
       {reader->Put("k", "v"), reader->Delete("key1").status(),
        reader->Delete("absent").status(), reader->Write(batch),
        reader->Write(WriteBatch()), reader->Sync()}) {
    EXPECT_TRUE(absl::IsFailedPrecondition(status)) << status;
    EXPECT_NE(std::string(status.message()).find("read-only"),
              std::string::npos)
        << status;
  }
  EXPECT_TRUE(reader->Close().ok());
  EXPECT_TRUE(absl::IsFailedPrecondition(reader->Get("key1").status()));
}

TEST_F(ReadOnlyTest, ChangesNoByteOfAStore) {
  const auto try_all = [this] {
    const DirectoryImage before = Image();
    auto reader = OpenReadOnly();
    EXPECT_EQ(AllOf(*reader), contents_);
    EXPECT_TRUE(reader->Close().ok());
    reader = nullptr;
    EXPECT_EQ(Difference(before, Image()), "");
  };
  try_all();  // beside a writer
  Kill();
  try_all();  // after its end
  Open();
  Close();
  try_all();  // after a clean close
}

TEST_F(ReadOnlyTest, NeedsNoRightToWrite) {
  Close();
  namespace fs = std::filesystem;
  for (const auto& file : fs::directory_iterator(path())) {
    fs::permissions(file, fs::perms(0400));
  }
  fs::permissions(path(), fs::perms(0500));
  EXPECT_EQ(AllOf(*OpenReadOnly()), contents_);
  fs::permissions(path(), fs::perms(0700));
}

TEST_F(ReadOnlyTest, WorksWithoutALockFile) {
  Close();
  std::filesystem::remove(PathOf("LOCK"));
  EXPECT_EQ(AllOf(*OpenReadOnly()), contents_);
  EXPECT_FALSE(std::filesystem::exists(PathOf("LOCK")));
}

TEST_F(ReadOnlyTest, StatisticsAreThoseOfTheWriter) {
  Sync();
  const Statistics writer = store().GetStatistics();
  const Statistics reader = OpenReadOnly()->GetStatistics();
  EXPECT_EQ(reader.keys, writer.keys);
  EXPECT_EQ(reader.live_bytes, writer.live_bytes);
  EXPECT_EQ(reader.dead_bytes, writer.dead_bytes);
  EXPECT_EQ(reader.disk_bytes, writer.disk_bytes);
}

TEST_F(ReadOnlyTest, ExpiryGoesOn) {
  Put("expires", "v", {.ttl = absl::Seconds(10)});
  const auto reader = OpenReadOnly();
  EXPECT_TRUE(reader->Exists("expires").value());
  clock.Advance(absl::Seconds(10));
  EXPECT_FALSE(reader->Exists("expires").value());
}

TEST_F(ReadOnlyTest, OutlivesTheWritersRecovery) {
  Put("torn", "a record that will be cut off");
  Kill();
  const auto reader = OpenReadOnly();
  const Contents before = AllOf(*reader);
  Open();
  for (int i = 0; i < 30; ++i) PutNumber(i, 2000 + i);
  EXPECT_EQ(AllOf(*reader), before);
}

// Beside processes that do all that a writer can do.
class RunningWriterTest : public ReadOnlyTest {
 protected:
  // Opens the store, writes batches in which two keys get the same number,
  // one more each time, and closes it.
  void RunWriter() {
    options.background_threads = true;
    options.sync_interval = absl::Milliseconds(1);
    const auto writer = Store::Open(path(), options);
    if (!writer.ok()) _exit(1);
    int number = std::stoi((*writer)->Get("a").value_or("0"));
    for (int i = 0; i < 300; ++i) {
      WriteBatch batch;
      batch.Put("a", std::to_string(++number));
      batch.Put("b", std::to_string(number));
      batch.Put("filler", std::string(i % 25 == 0 ? 3000 : 30, 'v'));
      if (!(*writer)->Write(batch, {.sync = i % 10 == 0}).ok()) _exit(1);
    }
    _exit((*writer)->Close().ok() ? 0 : 1);
  }

  // Looks at what is there now: never less than before, and batches whole.
  void Look() {
    const auto reader = OpenReadOnly();
    ASSERT_NE(reader, nullptr);
    Contents all = AllOf(*reader);
    ASSERT_EQ(all["a"], all["b"]);
    const int number = all["a"].empty() ? 0 : std::stoi(all["a"]);
    ASSERT_GE(number, seen_);
    seen_ = number;
    ++looks_;
  }

  int seen_ = 0;
  int looks_ = 0;
};

TEST_F(RunningWriterTest, EveryOpenShowsAPrefixOfTheLog) {
  Close();
  for (int round = 0; round < 40; ++round) {
    const pid_t writer = fork();
    if (writer == 0) RunWriter();
    // Some writers come to their end, others are killed.
    int ended = 0;
    for (int looks = 0; waitpid(writer, &ended, WNOHANG) == 0; ++looks) {
      Look();
      if (HasFatalFailure() || (round % 2 == 0 && looks == 3 + round)) {
        kill(writer, SIGKILL);
        waitpid(writer, &ended, 0);
        break;
      }
    }
    ASSERT_FALSE(HasFailure()) << "round " << round << ", look " << looks_;
    EXPECT_TRUE(WIFSIGNALED(ended) || WEXITSTATUS(ended) == 0);
  }
  EXPECT_GT(looks_, 40);
  EXPECT_GT(seen_, 40);
}

}  // namespace
}  // namespace stave
