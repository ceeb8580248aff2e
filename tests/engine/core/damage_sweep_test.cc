#include <string>
#include <vector>

#include "absl/status/status.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

// Every byte of small stores is damaged, one at a time. What must hold: Open
// or a read reports it, or all that the store still shows is right.
class DamageSweepTest : public StoreFixture {
 protected:
  DamageSweepTest() {
    options.segment_size_bytes = 320;
    Open();
    for (int i = 0; i < 6; ++i) Set("key" + std::to_string(i), ValueOf(i, 60));
    WriteBatch batch;
    batch.Put("key1", "in a batch");
    batch.Delete("key2");
    Write(batch);
    contents_["key1"] = "in a batch";
    contents_.erase("key2");
    Put("expires", "later", {.ttl = absl::Hours(1)});
    contents_["expires"] = "later";
    Sync();
    durable_ = contents_;
  }

  void Set(const std::string& key, const std::string& value) {
    Put(key, value);
    contents_[key] = value;
  }

  // Opens the store with `bytes` in the place of file `name`.
  void TryImage(const DirectoryImage& good, const std::string& name,
                const std::string& bytes, bool may_end_early) {
    WriteDirectory(path(), good);
    WriteFile(PathOf(name), bytes);
    const DirectoryImage before = Image();
    const absl::Status status = TryOpen();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_EQ(Difference(before, Image()), "");
      ++reported_;
      return;
    }
    const Contents all = All();
    EXPECT_TRUE(all == contents_ || (may_end_early && all == durable_))
        << all.size() << " keys";
    Put("writable", "still");
    EXPECT_EQ(Get("writable"), "still");
    Close();  // or it might add hint files to the next image
  }

  // The same for a store with hint files: Open does not read what these tell,
  // so reads may have to report the damage.
  void TryImageWithHints(const DirectoryImage& good, const std::string& name,
                         const std::string& bytes) {
    WriteDirectory(path(), good);
    WriteFile(PathOf(name), bytes);
    const DirectoryImage before = Image();
    const absl::Status status = TryOpen();
    if (!status.ok()) {
      EXPECT_TRUE(absl::IsDataLoss(status)) << status;
      EXPECT_EQ(Difference(before, Image()), "");
      ++reported_;
      return;
    }
    bool reported = false;
    for (const auto& [key, value] : contents_) {
      const std::string now = Get(key);
      EXPECT_TRUE(now == value || now == "DATA_LOSS") << key << ": " << now;
      if (now != value) reported = true;
    }
    EXPECT_EQ(Get("key2"), "NOT_FOUND");
    EXPECT_EQ(store().GetStatistics().keys, contents_.size());
    if (reported) ++reported_by_reads_;
    Put("writable", "still");
    EXPECT_EQ(Get("writable"), "still");
    Close();
  }

  // Does so for each byte of each file. `may_end_early`: what came after the
  // last Sync may be missing.
  void Sweep(const DirectoryImage& good, bool may_end_early) {
    for (const auto& [name, bytes] : good) {
      // The bytes of RESERVE mean nothing.
      if (name == "LOCK" || name == "RESERVE") continue;
      for (size_t at = 0; at < bytes.size(); ++at) {
        for (const char change : {'\x01', '\x80', '\xff'}) {
          std::string damaged = bytes;
          damaged[at] ^= change;
          TryImage(good, name, damaged, may_end_early);
          ASSERT_FALSE(HasFailure()) << name << " at " << at;
        }
      }
      for (size_t size = 0; size < bytes.size(); ++size) {
        TryImage(good, name, bytes.substr(0, size), may_end_early);
        ASSERT_FALSE(HasFailure()) << name << " cut to " << size;
      }
    }
  }

  Contents contents_;
  Contents durable_;
  int reported_ = 0;
  int reported_by_reads_ = 0;
};

TEST_F(DamageSweepTest, AStoreThatWasClosed) {
  Close();
  Sweep(WithoutHints(Image()), /*may_end_early=*/false);
  EXPECT_GT(reported_, 5000);
}

TEST_F(DamageSweepTest, AStoreThatWasOpenedAgainAndKilled) {
  Reopen();
  Set("last", "one");
  Kill();
  Sweep(WithoutHints(Image()), /*may_end_early=*/true);
  EXPECT_GT(reported_, 5000);
}

TEST_F(DamageSweepTest, AStoreWithHintFilesThatWasClosed) {
  Close();
  const DirectoryImage good = Image();
  for (const auto& [name, bytes] : good) {
    if (name == "LOCK" || name == "RESERVE") continue;
    for (size_t at = 0; at < bytes.size(); ++at) {
      std::string damaged = bytes;
      damaged[at] ^= at % 2 == 0 ? '\x01' : '\x80';
      TryImageWithHints(good, name, damaged);
      TryImageWithHints(good, name, bytes.substr(0, at));
      ASSERT_FALSE(HasFailure()) << name << " at " << at;
    }
  }
  EXPECT_GT(reported_, 1000);
  EXPECT_GT(reported_by_reads_, 100);
}

}  // namespace
}  // namespace stave
