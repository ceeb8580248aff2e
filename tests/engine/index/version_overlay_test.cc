#include "engine/index/version_overlay.h"

#include <atomic>
#include <cstdint>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/mutex.h"
#include "engine/index/keydir.h"
#include "gtest/gtest.h"
#include "tests/engine/index/keydir_vocabulary.h"

namespace stave {
namespace {

KeyHash HashOf(uint64_t key) { return Key(key).hash; }

class VersionOverlayTest : public testing::Test {
 protected:
  using Layer = std::unique_ptr<VersionOverlay::Layer>;
  static constexpr std::nullopt_t kAsNow = std::nullopt;

  VersionOverlay overlay_;
};

TEST_F(VersionOverlayTest, IsActiveWhileAnyLayerLives) {
  EXPECT_FALSE(overlay_.active());
  Layer first = overlay_.NewLayer();
  Layer second = overlay_.NewLayer();
  first = nullptr;
  EXPECT_TRUE(overlay_.active());
  second = nullptr;
  EXPECT_FALSE(overlay_.active());
}

TEST_F(VersionOverlayTest, KeysThatHaveNotChangedAreAsTheyAreNow) {
  const Layer layer = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  EXPECT_EQ(layer->Find(HashOf(2)), kAsNow);
}

TEST_F(VersionOverlayTest, OnlyTheFirstChangeAfterAnInstantCounts) {
  const Layer layer = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  overlay_.Save(HashOf(1), Entry(2));
  EXPECT_EQ(layer->Find(HashOf(1)), Entry(1));
}

TEST_F(VersionOverlayTest, KeyThatWasAbsentStaysAbsent) {
  const Layer layer = overlay_.NewLayer();
  overlay_.Save(HashOf(1), KeydirEntry());
  overlay_.Save(HashOf(1), Entry(1));
  EXPECT_EQ(layer->Find(HashOf(1)), KeydirEntry());
}

TEST_F(VersionOverlayTest, KeysAreToldApartByAllOfTheirHash) {
  const Layer layer = overlay_.NewLayer();
  overlay_.Save(KeyHash{5, 1}, Entry(1));
  EXPECT_EQ(layer->Find(KeyHash{5, 2}), kAsNow);
  EXPECT_EQ(layer->Find(KeyHash{6, 1}), kAsNow);
}

TEST_F(VersionOverlayTest, EachInstantHasItsOwnEntry) {
  const Layer first = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  const Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(2));
  const Layer third = overlay_.NewLayer();
  EXPECT_EQ(first->Find(HashOf(1)), Entry(1));
  EXPECT_EQ(second->Find(HashOf(1)), Entry(2));
  EXPECT_EQ(third->Find(HashOf(1)), kAsNow);
}

TEST_F(VersionOverlayTest, EarlierInstantsSeeChangesAfterLaterOnes) {
  const Layer first = overlay_.NewLayer();
  const Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  EXPECT_EQ(first->Find(HashOf(1)), Entry(1));
  EXPECT_EQ(second->Find(HashOf(1)), Entry(1));
}

TEST_F(VersionOverlayTest, EarlierInstantKeepsWhatALaterOneKnew) {
  const Layer first = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(2));
  overlay_.Save(HashOf(2), Entry(3));
  second = nullptr;
  EXPECT_EQ(first->Find(HashOf(1)), Entry(1));
  EXPECT_EQ(first->Find(HashOf(2)), Entry(3));
}

TEST_F(VersionOverlayTest, LaterInstantNeedsNoEarlierOne) {
  Layer first = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(1));
  const Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(1), Entry(2));
  first = nullptr;
  EXPECT_EQ(second->Find(HashOf(1)), Entry(2));
}

TEST_F(VersionOverlayTest, NothingIsSavedWhileNobodyLooksBack) {
  overlay_.Save(HashOf(1), Entry(1));
  const Layer layer = overlay_.NewLayer();
  EXPECT_EQ(layer->Find(HashOf(1)), kAsNow);
}

// Against the definition: all states of a few keys, and layers that come and
// go in any order.
TEST_F(VersionOverlayTest, AgreesWithCopiesOfTheKeydir) {
  constexpr uint64_t kKeys = 4;
  std::vector<KeydirEntry> keydir(kKeys);
  struct Instant {
    Layer layer;
    std::vector<KeydirEntry> copy;
  };
  std::vector<Instant> instants;
  uint32_t random = 20;  // Any start does, the same each time.
  for (uint64_t step = 1; step <= 3000; ++step) {
    random = random * 1664525 + 1013904223;
    const uint32_t choice = (random >> 16) % 10;
    if (choice == 0) {
      instants.push_back({overlay_.NewLayer(), keydir});
    } else if (choice == 1 && !instants.empty()) {
      instants.erase(instants.begin() + (random >> 8) % instants.size());
    } else {
      KeydirEntry& entry = keydir[(random >> 24) % kKeys];
      overlay_.Save(HashOf(&entry - keydir.data()), entry);
      entry = entry.absent() ? Entry(step) : KeydirEntry();
    }
    for (const Instant& instant : instants) {
      for (uint64_t key = 0; key < kKeys; ++key) {
        ASSERT_EQ(instant.layer->Find(HashOf(key)).value_or(keydir[key]),
                  instant.copy[key])
            << "step " << step;
      }
    }
  }
}

TEST_F(VersionOverlayTest, ChangesBetweenTwoInstantsAreVisitedOnce) {
  using Changes = std::map<uint64_t, KeydirEntry>;
  const Layer first = overlay_.NewLayer();
  const auto changes = [&](const Layer& from, const Layer& until) {
    Changes visited;
    overlay_.VisitChanges(
        *from, until.get(),
        [&](const KeyHash& hash, const VersionOverlay::Past& past) {
          uint64_t key = 1;
          while (HashOf(key) != hash) ++key;
          EXPECT_TRUE(visited.emplace(key, past.entry).second);
          return true;
        });
    return visited;
  };
  EXPECT_EQ(changes(first, nullptr), Changes());
  overlay_.Save(HashOf(1), KeydirEntry());
  overlay_.Save(HashOf(2), Entry(2));
  Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(2), Entry(3));
  overlay_.Save(HashOf(3), Entry(4));
  const Changes before{{1, KeydirEntry()}, {2, Entry(2)}};
  const Changes after{{2, Entry(3)}, {3, Entry(4)}};
  const Changes all{{1, KeydirEntry()}, {2, Entry(2)}, {3, Entry(4)}};
  EXPECT_EQ(changes(first, second), before);
  EXPECT_EQ(changes(second, nullptr), after);
  EXPECT_EQ(changes(first, nullptr), all);
  second = nullptr;
  EXPECT_EQ(changes(first, nullptr), all);
}

TEST_F(VersionOverlayTest, VisitsEndWhenTheVisitorHasEnough) {
  const Layer layer = overlay_.NewLayer();
  for (uint64_t key = 1; key <= 100; ++key) {
    overlay_.Save(HashOf(key), Entry(key));
  }
  int visits = 0;
  overlay_.VisitChanges(*layer, nullptr,
                        [&](const KeyHash&, const VersionOverlay::Past&) {
                          return ++visits < 3;
                        });
  EXPECT_EQ(visits, 3);
}

TEST_F(VersionOverlayTest, WhatAVersionNeedsIsHeldAsLongAsItIsNeeded) {
  const auto owner = std::make_shared<int>(0);
  Layer first = overlay_.NewLayer();
  Layer second = overlay_.NewLayer();
  overlay_.Save(HashOf(1), {Entry(1), owner});
  EXPECT_EQ(owner.use_count(), 2);
  second = nullptr;
  EXPECT_EQ(owner.use_count(), 2);
  overlay_.Save(HashOf(1), {Entry(2), owner});
  EXPECT_EQ(owner.use_count(), 2);
  first = nullptr;
  EXPECT_EQ(owner.use_count(), 1);
}

TEST_F(VersionOverlayTest, UsageIsThatOfLivingLayersAndOfWhatChanged) {
  EXPECT_EQ(overlay_.GetUsage().bytes, 0u);
  Layer first = overlay_.NewLayer();
  Layer second = overlay_.NewLayer();
  EXPECT_EQ(overlay_.GetUsage().layers, 2u);
  const uint64_t empty = overlay_.GetUsage().bytes;
  for (uint64_t key = 1; key <= 10'000; ++key) {
    overlay_.Save(HashOf(key), Entry(key));
  }
  const uint64_t changed = overlay_.GetUsage().bytes - empty;
  EXPECT_GE(changed, 10'000 * sizeof(VersionOverlay::Version));
  EXPECT_LE(changed, 10'000u * 150);
  second = nullptr;
  first = nullptr;
  EXPECT_EQ(overlay_.GetUsage().layers, 0u);
  EXPECT_EQ(overlay_.GetUsage().bytes, 0u);
}

// In any order, with keys' bytes or without.
TEST_F(VersionOverlayTest, NothingIsCountedThatHasGone) {
  std::vector<Layer> layers(4);
  for (uint64_t i = 0; i < 2000; ++i) {
    Layer& layer = layers[i * 7 % 4];
    layer = i % 50 == 0        ? nullptr
            : layer != nullptr ? std::move(layer)
                               : overlay_.NewLayer();
    const std::string key = i % 3 == 0 ? "" : std::to_string(i % 300);
    overlay_.Save(HashOf(i % 300), Entry(i + 1), key);
    EXPECT_EQ(overlay_.bytes(), overlay_.GetUsage().bytes);
  }
  EXPECT_GT(overlay_.bytes(), 300 * sizeof(VersionOverlay::Version));
  layers.clear();
  EXPECT_EQ(overlay_.bytes(), 0u);
}

// As iterators and writers do: instants begin under the writers' lock, and a
// reader loads the keydir's entry before it looks here.
TEST_F(VersionOverlayTest, ReadersSeeTheirInstantWhileAWriterGoesOn) {
  Mutex append_mutex;
  std::atomic<uint64_t> now{1};
  std::atomic<bool> done{false};
  std::thread writer([&] {
    while (!done.load()) {
      MutexLock lock(&append_mutex);
      if (overlay_.active()) overlay_.Save(HashOf(1), Entry(now.load()));
      now.fetch_add(1);
    }
  });
  for (int i = 0; i < 500; ++i) {
    Layer layer;
    uint64_t then = 0;
    {
      MutexLock lock(&append_mutex);
      layer = overlay_.NewLayer();
      then = now.load();
    }
    for (int k = 0; k < 10; ++k) {
      const KeydirEntry present = Entry(now.load());
      EXPECT_EQ(layer->Find(HashOf(1)).value_or(present), Entry(then));
    }
  }
  done.store(true);
  writer.join();
}

TEST_F(VersionOverlayTest, ALargeLayerLeavesAllToAnEarlierOne) {
  constexpr uint64_t kKeys = 20'000;
  const Layer first = overlay_.NewLayer();
  Layer second = overlay_.NewLayer();
  Layer third = overlay_.NewLayer();
  for (uint64_t key = 1; key <= kKeys; ++key) {
    overlay_.Save(HashOf(key), Entry(key));
  }
  second = nullptr;
  third = nullptr;
  for (uint64_t key = 1; key <= kKeys; ++key) {
    ASSERT_EQ(first->Find(HashOf(key)), Entry(key));
  }
}

// Layers that are dropped by several threads at once, while a writer goes on:
// each is between others that live, or are on their way out as well.
TEST_F(VersionOverlayTest, AnInstantStaysWhileLaterOnesAreDropped) {
  constexpr uint64_t kKeys = 5000;
  constexpr int kRounds = 30;
  std::atomic<uint64_t> version{1};
  const auto change_all = [&] {
    const uint64_t before = version.fetch_add(1);
    for (uint64_t key = 1; key <= kKeys; ++key) {
      overlay_.Save(HashOf(key), Entry(before));
    }
  };
  for (int round = 0; round < kRounds; ++round) {
    const uint64_t then = version.load();
    const Layer first = overlay_.NewLayer();
    std::vector<Layer> later;
    for (int i = 0; i < 3; ++i) {
      later.push_back(overlay_.NewLayer());
      // The first is changed later only.
      if (i != round % 3) change_all();
    }
    std::vector<std::thread> threads;
    for (Layer& layer : later) {
      threads.emplace_back([&layer] { layer = nullptr; });
    }
    change_all();
    for (uint64_t key = 1; key <= kKeys; ++key) {
      ASSERT_EQ(first->Find(HashOf(key)), Entry(then)) << "key " << key;
    }
    for (std::thread& thread : threads) thread.join();
    for (uint64_t key = 1; key <= kKeys; ++key) {
      ASSERT_EQ(first->Find(HashOf(key)), Entry(then)) << "key " << key;
    }
  }
}

}  // namespace
}  // namespace stave
