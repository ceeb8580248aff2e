// Many damages in one store: each is found, and what was not damaged is
// recovered. Runs more and larger with
//   STAVE_DAMAGE_SEEDS=1 STAVE_DAMAGE_BYTES=1000000000 (of values, a seed)
// STAVE_DAMAGE_FIRST_SEED=n begins at seed n.

#include <algorithm>
#include <cstdint>
#include <cstdlib>
#include <fstream>
#include <iostream>
#include <map>
#include <memory>
#include <random>
#include <string>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

constexpr int kDamages = 100;

uint64_t FromEnvironment(const char* name, uint64_t otherwise) {
  const char* value = std::getenv(name);
  return value == nullptr ? otherwise : std::strtoull(value, nullptr, 10);
}

// A change of bytes [begin, end) of a file.
struct Wound {
  std::string file;
  uint64_t begin = 0;
  uint64_t end = 0;

  bool Meets(const std::string& name, uint64_t from, uint64_t to) const {
    return file == name && begin < to && from < end;
  }
};

class RepairSweep {
 public:
  RepairSweep(uint64_t seed, uint64_t value_bytes)
      : random_(seed), value_bytes_(value_bytes), directory_(PlaceInMemory()) {}

  void Run() {
    Fill();
    FindRecords();
    for (int i = 0; i < kDamages; ++i) Harm();
    Look();
    Mend();
  }

 private:
  struct Place {
    std::string file;
    uint64_t begin = 0;
    uint64_t end = 0;
  };

  uint64_t Pick(uint64_t below) { return random_() % below; }
  std::string From() const { return directory_.path() + "/from"; }
  std::string To() const { return directory_.path() + "/to"; }

  static std::string KeyOf(uint64_t number) {
    return absl::StrCat("<", 1'000'000'000 + number, ">");
  }
  // Seldom larger than a page, and without the byte that begins a key.
  std::string NewValue() {
    std::string value(Pick(20) == 0 ? Pick(20'000) : Pick(300), '.');
    size_t letter = Pick(26);
    const size_t step = 1 + Pick(25);
    for (char& c : value) c = static_cast<char>('a' + (letter += step) % 26);
    return value;
  }

  // Each key once, so that there are no older versions to come back.
  void Fill() {
    Options options;
    options.background_threads = false;
    options.segment_size_bytes = std::max<uint64_t>(value_bytes_ / 8, 1 << 16);
    options.segment_size_bytes =
        std::min(options.segment_size_bytes, Options().segment_size_bytes);
    auto store = Store::Open(From(), options).value();
    for (uint64_t bytes = 0; bytes < value_bytes_;) {
      const std::string key = KeyOf(contents_.size());
      std::string value = NewValue();
      bytes += value.size() + 1;
      ASSERT_TRUE(store->Put(key, value).ok());
      contents_.push_back(std::move(value));
    }
    ASSERT_TRUE(store->Close().ok());
  }

  // FORMAT.md: 24 bytes, key, value, zeros up to a multiple of 8.
  void FindRecords() {
    for (const auto& [name, bytes] : ReadDirectory(From())) {
      if (!name.ends_with(".seg")) continue;
      sizes_.emplace_back(name, bytes.size());
      for (size_t at = bytes.find('<'); at != bytes.npos;
           at = bytes.find('<', at + 1)) {
        if (at + 12 > bytes.size() || bytes[at + 11] != '>') continue;
        const uint64_t number =
            std::strtoull(bytes.substr(at + 1, 10).c_str(), nullptr, 10) -
            1'000'000'000;
        if (number >= contents_.size()) continue;
        const uint64_t end = at + 12 + contents_[number].size();
        records_[number] = {name, at - 24, (end + 7) / 8 * 8};
      }
    }
    ASSERT_EQ(records_.size(), contents_.size());
  }

  // A bit, some bytes, or a sector of zeros; seldom the end of a file.
  void Harm() {
    const auto& [name, size] = sizes_[Pick(sizes_.size())];
    std::fstream file(From() + "/" + name,
                      std::ios::in | std::ios::out | std::ios::binary);
    const uint64_t kind = Pick(10);
    Wound wound{name, Pick(size), 0};
    uint64_t length = kind < 6 ? 1 : 1 + Pick(64);
    if (kind == 9) {
      wound.begin -= wound.begin % 512;
      length = 512;
    }
    wound.end = std::min(wound.begin + length, size);
    std::string bytes(wound.end - wound.begin, '\0');
    file.seekg(static_cast<std::streamoff>(wound.begin));
    file.read(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    const std::string before = bytes;
    for (char& byte : bytes) {
      byte = kind == 9 ? '\0' : static_cast<char>(byte ^ (1 << Pick(8)));
    }
    if (bytes == before) return;
    file.seekp(static_cast<std::streamoff>(wound.begin));
    file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
    wounds_.push_back(std::move(wound));
  }

  void Look() {
    const absl::Time start = absl::Now();
    report_ = Verify(From()).value();
    seconds_ = absl::ToDoubleSeconds(absl::Now() - start);
    EXPECT_FALSE(report_.clean);
    for (const Wound& wound : wounds_) {
      EXPECT_TRUE(std::any_of(report_.damage.begin(), report_.damage.end(),
                              [&wound](const Damage& damage) {
                                return wound.Meets(
                                    damage.file, damage.offset,
                                    damage.offset + damage.length);
                              }))
          << wound.file << ", bytes " << wound.begin << " to " << wound.end;
    }
  }

  // Exactly the records that no wound meets are there.
  void Mend() {
    const RepairReport repaired = Repair(From(), To()).value();
    std::vector<bool> hurt(contents_.size());
    for (const auto& [number, place] : records_) {
      hurt[number] = std::any_of(
          wounds_.begin(), wounds_.end(), [&place = place](const Wound& w) {
            return w.Meets(place.file, place.begin, place.end);
          });
    }
    const auto lost =
        static_cast<uint64_t>(std::count(hurt.begin(), hurt.end(), true));
    auto store = Store::Open(To()).value();
    for (uint64_t number = 0; number < contents_.size(); ++number) {
      const auto value = store->Get(KeyOf(number));
      if (hurt[number]) {
        EXPECT_TRUE(absl::IsNotFound(value.status())) << KeyOf(number);
      } else {
        EXPECT_EQ(value.value_or("?"), contents_[number]) << KeyOf(number);
      }
    }
    EXPECT_EQ(repaired.recovered, contents_.size() - lost);
    EXPECT_EQ(report_.records, repaired.recovered);
    // What else has a sequence: sync marks.
    EXPECT_GE(repaired.lost, lost);
    EXPECT_LE(repaired.lost, lost + 10);
    if (value_bytes_ < 100'000'000) return;
    std::cout << report_.bytes << " bytes, " << contents_.size() << " records, "
              << wounds_.size() << " wounds, " << report_.damage.size()
              << " damages found in " << seconds_ << " s, " << lost
              << " records lost, " << repaired.recovered << " recovered\n";
  }

  std::mt19937_64 random_;
  const uint64_t value_bytes_;
  const TemporaryDirectory directory_;
  std::vector<std::string> contents_;  // of key number i
  std::map<uint64_t, Place> records_;
  std::vector<std::pair<std::string, uint64_t>> sizes_;
  std::vector<Wound> wounds_;
  VerifyReport report_;
  double seconds_ = 0;
};

TEST(RepairSweepTest, EachDamageIsFoundAndAllElseIsRecovered) {
  const uint64_t first = FromEnvironment("STAVE_DAMAGE_FIRST_SEED", 1);
  const uint64_t seeds = FromEnvironment("STAVE_DAMAGE_SEEDS", 20);
  const uint64_t bytes = FromEnvironment("STAVE_DAMAGE_BYTES", 3'000'000);
  for (uint64_t seed = first; seed < first + seeds; ++seed) {
    RepairSweep(seed, bytes).Run();
    if (testing::Test::HasFailure()) {
      FAIL() << "again: STAVE_DAMAGE_FIRST_SEED=" << seed
             << " STAVE_DAMAGE_SEEDS=1 STAVE_DAMAGE_BYTES=" << bytes
             << " bazel test //tests/engine/core:repair_sweep_test";
    }
  }
}

}  // namespace
}  // namespace stave
