#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <map>
#include <memory>
#include <string>
#include <tuple>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/damage/allocations.h"
#include "tests/damage/damages.h"
#include "tests/damage/image_file_system.h"
#include "tests/damage/images.h"
#include "tests/damage/written_store.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/directory_image.h"
#include "tests/model/seeds.h"

namespace stave {
namespace {

constexpr char kPath[] = "/store";

// How many stores of each kind there are, which of their damaged images are
// taken (every n-th), and how many are damaged at random besides.
const uint64_t kSeeds = FromEnvironment("STAVE_DAMAGE_SEEDS", 4);
const uint64_t kStride = FromEnvironment("STAVE_DAMAGE_STRIDE", 1);
const uint64_t kRandom = FromEnvironment("STAVE_DAMAGE_RANDOM", 2500);

// Every so many images it is also tried whether the store can be gone on with.
constexpr uint64_t kGoOnEach = 8;

// No length that is read may have more memory taken than this, or twice the
// largest file. What every open store has stays below it.
constexpr size_t kFixedBytes = 64 << 10;

// Opens stores with damaged files and holds what they show against what they
// must. What must hold: Open or a read says DataLoss, with file and offset, or
// all that the store shows is as it was after some number of operations, and
// that is no fewer than the damage has left.
class DamageChecker {
 public:
  explicit DamageChecker(const StoreImage& image)
      : image_(image), clock_(image.now) {
    options_.clock = &clock_;
    options_.background_threads = false;
    options_.recovery_threads = 1;
    options_.segment_size_bytes = 1 << 10;
    options_.keydir = image.keydir;
    for (const ShownKeys& shown : image.after) {
      for (const auto& [key, value] : shown) keys_[key] = true;
    }
    for (const auto& [name, bytes] : image.files) {
      largest_file_ = std::max(largest_file_, bytes.size());
    }
  }

  void Check(const DirectoryImage& damaged, bool go_on) {
    kept_ = image_.OperationsKept(damaged);
    for (const bool read_only : {true, false}) {
      ImageFileSystem disk(damaged);
      options_.read_only = read_only;
      options_.file_system = &disk;
      TakeLargestAllocation();
      absl::StatusOr<std::unique_ptr<Store>> store =
          Store::Open(kPath, options_);
      EXPECT_LE(TakeLargestAllocation(),
                std::max(2 * largest_file_, kFixedBytes));
      if (!store.ok()) {
        ExpectReported(store.status(), damaged);
        EXPECT_EQ(disk.changes(), 0);
        ++reported_;
        continue;
      }
      if (read_only) {
        EXPECT_EQ(disk.changes(), 0);
      }
      const auto shown = FindShown(**store);
      if (shown == nullptr) continue;
      if (!read_only && go_on) GoOn(*std::move(store), *shown, damaged);
    }
  }

  uint64_t reported() const { return reported_; }

 private:
  void ExpectReported(const absl::Status& status,
                      const DirectoryImage& damaged) {
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    const std::string message(status.message());
    // A manifest that has lost its last edits names what merges have removed.
    const size_t missing = message.find(": the segment is missing");
    if (missing != message.npos) {
      const size_t name = message.rfind('/', missing) + 1;
      EXPECT_EQ(damaged.count(message.substr(name, missing - name)), 0u)
          << status;
      return;
    }
    bool is_named = false;
    for (const auto& [name, bytes] : image_.files) {
      if (message.find(name) != message.npos) is_named = true;
    }
    EXPECT_TRUE(is_named) << status;
    if (damaged.size() < image_.files.size()) return;  // a file is missing
    EXPECT_NE(message.find("offset "), message.npos) << status;
  }

  // The state that the store shows, or null and a failure.
  const ShownKeys* FindShown(Store& store) {
    for (size_t count = image_.operations() + 1; count-- > kept_;) {
      if (Shows(store, image_.after[count])) return &image_.after[count];
    }
    ADD_FAILURE() << "not a state after " << kept_ << " to "
                  << image_.operations() << " operations";
    return nullptr;
  }

  // Whether each read is right or DataLoss.
  bool Shows(Store& store, const ShownKeys& expected) {
    for (const auto& [key, unused] : keys_) {
      const absl::Status status = store.Get(key, &value_);
      if (absl::IsDataLoss(status)) continue;
      const auto found = expected.find(key);
      const bool right = found == expected.end()
                             ? absl::IsNotFound(status)
                             : status.ok() && value_ == found->second.value;
      if (!right) return false;
    }
    auto iterator = store.NewIterator();
    if (!iterator.ok()) return false;
    size_t visited = 0;
    for ((*iterator)->SeekToFirst(); (*iterator)->Valid();
         (*iterator)->Next()) {
      const auto found = expected.find(std::string((*iterator)->key()));
      if (found == expected.end() ||
          found->second.value != (*iterator)->value() ||
          found->second.expiry != (*iterator)->expiry()) {
        return false;
      }
      ++visited;
    }
    return visited == expected.size() ||
           absl::IsDataLoss((*iterator)->status());
  }

  // The store can be written, closed and opened, and then shows the same. Or
  // damage is found that nobody has looked at before, behind a checkpoint: an
  // open for which the log goes on needs the sizes of large records.
  void GoOn(std::unique_ptr<Store> store, ShownKeys shown,
            const DirectoryImage& damaged) {
    const absl::Status put = store->Put("new", "value");
    EXPECT_TRUE(put.ok()) << put;
    shown["new"] = {"value"};
    const absl::Status closed = store->Close();
    EXPECT_TRUE(closed.ok()) << closed;
    store = nullptr;  // which has files mapped still
    auto again = Store::Open(kPath, options_);
    if (!again.ok()) {
      ++reported_;
      return ExpectReported(again.status(), damaged);
    }
    EXPECT_TRUE(Shows(**again, shown));
  }

  const StoreImage& image_;
  ManualClock clock_;
  Options options_;
  std::map<std::string, bool> keys_;
  size_t largest_file_ = 0;
  size_t kept_ = 0;
  std::string value_;
  uint64_t reported_ = 0;
};

using Case = std::tuple<ImageKind, uint64_t>;

class DamageSweepTest : public testing::TestWithParam<Case> {};

std::string NameOf(const testing::TestParamInfo<Case>& info) {
  return absl::StrCat(std::get<0>(info.param).name, "_",
                      std::get<1>(info.param));
}

TEST_P(DamageSweepTest, NoImageShowsAWrongValue) {
  const ImageKind& kind = std::get<0>(GetParam());
  const uint64_t seed = std::get<1>(GetParam());
  const StoreImage image = kind.make(seed);
  const StoreImage other = kind.make(seed);
  ASSERT_FALSE(HasFailure());
  DamageChecker checker(image);
  checker.Check(image.files, /*go_on=*/true);
  ASSERT_EQ(checker.reported(), 0u);
  const char* const only = std::getenv("STAVE_DAMAGE");
  uint64_t number = 0;
  uint64_t checked = 0;
  const auto check = [&](const std::string& what,
                         const DirectoryImage& damaged) {
    if (HasFailure() || number++ % kStride != 0) return;
    if (only != nullptr && what != only) return;
    ++checked;
    checker.Check(damaged, number % kGoOnEach == 0);
    if (!HasFailure()) return;
    ADD_FAILURE() << kind.name << "_" << seed << ", " << what
                  << "; to replay: bazel test -c opt "
                     "//tests/damage:damage_sweep_test --test_filter='*/"
                  << kind.name << "_" << seed
                  << "' --test_env=STAVE_DAMAGE=" << what;
  };
  ForEachDamage(image, other, check);
  for (uint64_t i = 0; i < kRandom; ++i) DamageAtRandom(image, i, check);
  RecordProperty("images", static_cast<int>(checked));
  EXPECT_GT(checker.reported(), checked / 8);
}

INSTANTIATE_TEST_SUITE_P(All, DamageSweepTest,
                         testing::Combine(testing::ValuesIn(ImageKinds()),
                                          testing::Range<uint64_t>(0, kSeeds)),
                         NameOf);

}  // namespace
}  // namespace stave
