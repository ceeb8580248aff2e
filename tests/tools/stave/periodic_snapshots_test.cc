#include "tools/stave/periodic_snapshots.h"

#include <atomic>
#include <memory>
#include <thread>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave::tool {
namespace {

// Each look at it is so long after the one before.
class LeapingClock : public Clock {
 public:
  explicit LeapingClock(absl::Duration leap) : leap_(leap) {}
  absl::Time WallNow() override { return absl::UnixEpoch(); }
  absl::Duration Elapsed() override { return leap_ * ++looks_; }

 private:
  const absl::Duration leap_;
  std::atomic<int> looks_{0};
};

// No wait of a lock's is longer than a day.
TEST(PeriodicSnapshotsTest, AnIntervalMayHaveDays) {
  const TemporaryDirectory directory;
  const auto store = Store::Open(directory.path() + "/store");
  ASSERT_TRUE(store.ok()) << store.status();
  constexpr absl::Duration kInterval = absl::Hours(48);
  LeapingClock clock(kInterval - absl::Milliseconds(1));
  std::atomic<int> saves{0};
  PeriodicSnapshots::Settings settings;
  settings.store = store->get();
  settings.interval = kInterval;
  settings.clock = &clock;
  settings.save = [&saves] {
    ++saves;
    return absl::OkStatus();
  };
  const auto snapshots = PeriodicSnapshots::Start(settings);
  ASSERT_TRUE(snapshots.ok()) << snapshots.status();
  for (int save = 1; save <= 3; ++save) {
    EXPECT_TRUE((*store)->Put("key", "value").ok());
    while (saves < save) std::this_thread::yield();
  }
  EXPECT_TRUE((*snapshots)->Stop().ok());
  EXPECT_EQ(saves, 3);
}

}  // namespace
}  // namespace stave::tool
