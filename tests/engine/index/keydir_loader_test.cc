#include "engine/index/keydir_loader.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <random>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "engine/base/epoch.h"
#include "engine/index/hash_keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

constexpr size_t kThreads = 2;

class KeydirLoaderTest : public testing::Test {
 protected:
  using Writer = KeydirLoader::Writer;

  std::unique_ptr<KeydirLoader> LoaderFor(uint64_t most) {
    auto loader = KeydirLoader::Create(&keydir_, most, kThreads);
    EXPECT_TRUE(loader.ok()) << loader.status();
    return loader.ok() ? *std::move(loader) : nullptr;
  }
  void Take(Writer* writer, const KeyRef& key, KeydirEntry entry) {
    ASSERT_EQ(writer->Take(key, entry), absl::OkStatus());
  }
  void TakeNumbers(Writer* writer, uint64_t begin, uint64_t end) {
    for (uint64_t i = begin; i < end; ++i) Take(writer, Key(i), Entry(i + 1));
  }
  void Load(KeydirLoader* loader) {
    ASSERT_EQ(loader->Load(kThreads), absl::OkStatus());
  }
  KeydirEntry Find(const KeyRef& key) const {
    EpochGuard guard;
    return keydir_.Find(key);
  }
  uint64_t CountFound(uint64_t begin, uint64_t end) const {
    uint64_t found = 0;
    for (uint64_t i = begin; i < end; ++i)
      found += Find(Key(i)) == Entry(i + 1);
    return found;
  }
  uint64_t Keys() const { return keydir_.GetStatistics().keys; }
  double BytesAKey() const {
    const Keydir::Statistics statistics = keydir_.GetStatistics();
    return static_cast<double>(statistics.bytes) /
           static_cast<double>(statistics.keys);
  }

  HashKeydir keydir_;
};

TEST_F(KeydirLoaderTest, NothingIsLoadedFromNothing) {
  Load(LoaderFor(0).get());
  EXPECT_EQ(Keys(), 0);
}

TEST_F(KeydirLoaderTest, LoadsWhatWasTaken) {
  const auto loader = LoaderFor(100'000);
  Writer writer(loader.get());
  TakeNumbers(&writer, 0, 100'000);
  Load(loader.get());
  EXPECT_EQ(Keys(), 100'000);
  EXPECT_EQ(CountFound(0, 100'000), 100'000);
  EXPECT_EQ(CountFound(100'000, 110'000), 0);
}

TEST_F(KeydirLoaderTest, TheLastOfAKeysEntriesCounts) {
  const auto loader = LoaderFor(6);
  Writer one(loader.get());
  Writer another(loader.get());
  Take(&one, Key(1), Entry(30));
  Take(&another, Key(1), Entry(20));
  Take(&another, Key(2), Entry(7));
  Take(&one, Key(2), KeydirEntry::Tombstone(Location{8}));
  Take(&one, Key(3), KeydirEntry::Tombstone(Location{9}));
  Take(&one, Key(3), Entry(10));
  Load(loader.get());
  EXPECT_EQ(Find(Key(1)), Entry(30));
  EXPECT_EQ(Find(Key(2)), KeydirEntry::Tombstone(Location{8}));
  EXPECT_EQ(Find(Key(3)), Entry(10));
  EXPECT_EQ(Keys(), 3);
}

TEST_F(KeydirLoaderTest, KeysThatDifferInTheirTagAloneAreTwo) {
  const auto loader = LoaderFor(2);
  Writer writer(loader.get());
  Take(&writer, KeyOf(5, 1), Entry(1));
  Take(&writer, KeyOf(5, 2), Entry(2));
  Load(loader.get());
  EXPECT_EQ(Find(KeyOf(5, 1)), Entry(1));
  EXPECT_EQ(Find(KeyOf(5, 2)), Entry(2));
}

TEST_F(KeydirLoaderTest, AKeyThatIsTakenOverAndOverIsOne) {
  constexpr uint64_t kTimes = 50'000;
  const auto loader = LoaderFor(kTimes);
  Writer writer(loader.get());
  for (uint64_t i = 1; i <= kTimes; ++i) Take(&writer, Key(1), Entry(i));
  Load(loader.get());
  EXPECT_EQ(Find(Key(1)), Entry(kTimes));
  EXPECT_EQ(Keys(), 1);
}

TEST_F(KeydirLoaderTest, TheLeastAndTheGreatestHash) {
  const auto loader = LoaderFor(2);
  Writer writer(loader.get());
  Take(&writer, KeyOf(1, 0), Entry(1));
  Take(&writer, KeyOf(UINT64_MAX, 0xffff), Entry(2));
  Load(loader.get());
  EXPECT_EQ(Find(KeyOf(1, 0)), Entry(1));
  EXPECT_EQ(Find(KeyOf(UINT64_MAX, 0xffff)), Entry(2));
}

TEST_F(KeydirLoaderTest, IsWhatOfferingOneByOneMakes) {
  for (unsigned seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE(seed);
    std::mt19937 random(seed);
    HashKeydir keydir;
    auto loader = KeydirLoader::Create(&keydir, 60'000, kThreads);
    ASSERT_TRUE(loader.ok()) << loader.status();
    std::map<uint64_t, uint64_t> latest;
    {
      Writer writers[kThreads] = {Writer(loader->get()), Writer(loader->get())};
      std::vector<uint64_t> locations(60'000);
      for (size_t i = 0; i < locations.size(); ++i) locations[i] = i + 1;
      std::shuffle(locations.begin(), locations.end(), random);
      for (const uint64_t location : locations) {
        const uint64_t key = random() % (10'000 * seed);
        latest[key] = std::max(latest[key], location);
        Take(&writers[random() % kThreads], Key(key), Entry(location));
      }
    }
    ASSERT_EQ((*loader)->Load(kThreads), absl::OkStatus());
    EXPECT_EQ(keydir.GetStatistics().keys, latest.size());
    EpochGuard guard;
    for (const auto& [key, location] : latest) {
      ASSERT_EQ(keydir.Find(Key(key)), Entry(location)) << key;
    }
  }
}

TEST_F(KeydirLoaderTest, WritersTakeAtOnce) {
  const auto loader = LoaderFor(40'000);
  std::vector<std::thread> threads;
  for (uint64_t i = 0; i < kThreads; ++i) {
    threads.emplace_back([&, i] {
      Writer writer(loader.get());
      TakeNumbers(&writer, i * 20'000, (i + 1) * 20'000);
    });
  }
  for (std::thread& thread : threads) thread.join();
  Load(loader.get());
  EXPECT_EQ(CountFound(0, 40'000), 40'000);
}

TEST_F(KeydirLoaderTest, WhatIsLoadedCanBeChanged) {
  const auto loader = LoaderFor(20'000);
  Writer writer(loader.get());
  TakeNumbers(&writer, 0, 20'000);
  Load(loader.get());
  for (uint64_t i = 20'000; i < 60'000; ++i) {
    ASSERT_TRUE(keydir_.Put(Key(i), Entry(i + 1)).ok());
  }
  EXPECT_EQ(CountFound(0, 60'000), 60'000);
  for (uint64_t i = 0; i < 60'000; i += 2) keydir_.Remove(Key(i));
  EXPECT_EQ(CountFound(0, 60'000), 30'000);
}

TEST_F(KeydirLoaderTest, TakesNoMoreMemoryThanKeysThatCameOneByOne) {
  constexpr uint64_t kKeys = 1'000'000;
  const auto loader = LoaderFor(kKeys);
  Writer writer(loader.get());
  TakeNumbers(&writer, 0, kKeys);
  Load(loader.get());
  EXPECT_EQ(Keys(), kKeys);
  EXPECT_LE(BytesAKey(), 20);
}

TEST_F(KeydirLoaderTest, MoreThanWasSaidIsRefused) {
  const auto loader = LoaderFor(1);
  Writer writer(loader.get());
  absl::Status status;
  for (uint64_t i = 0; status.ok() && i < 10'000'000; ++i) {
    status = writer.Take(Key(i), Entry(i + 1));
  }
  EXPECT_TRUE(absl::IsResourceExhausted(status)) << status;
}

}  // namespace
}  // namespace stave
