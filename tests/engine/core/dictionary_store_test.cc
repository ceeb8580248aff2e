#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <random>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/format/dictionary.h"
#include "engine/format/file_names.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/core/store_fixture.h"

namespace stave {
namespace {

std::string Text(int number) {
  return absl::StrCat("Package: lib", number * 7919 % 10007,
                      "-dev\nVersion: ", number % 9, ".", number * 31 % 100,
                      "\nMaintainer: Debian Games Team\nSection: libdevel\n"
                      "Description: development files of number ",
                      number * 104729 % 100'003, "\n");
}

std::string Key(int number) { return absl::StrCat("key", number); }

// The name of the only dictionary; empty if there is none.
std::string DictionaryName(const DirectoryImage& image) {
  std::string found;
  for (const auto& [name, bytes] : image) {
    if (!ParseDictionaryFileName(name).has_value()) continue;
    EXPECT_EQ(found, "");
    found = name;
  }
  return found;
}

// A store that learns a dictionary from its first segments.
class DictionaryStoreTest : public StoreFixture {
 protected:
  DictionaryStoreTest() {
    options.compression = Compression::kZstd;
    options.compression_threshold_bytes = 1;
    options.compression_dictionary_bytes = 1024;
    options.segment_size_bytes = 4096;
    options.background_merge = false;
    Open();
  }

  // Puts until there is a dictionary, and more, by which that is used.
  void Learn() {
    while (store().GetStatistics().dictionary_bytes == 0) {
      ASSERT_LT(next_, 2000);
      PutNext();
    }
    first_with_ = next_;
    for (int i = 0; i < 50; ++i) PutNext();
  }
  // A store open for reading since before there was a dictionary.
  std::unique_ptr<Store> FollowerFromBefore() {
    PutNext();
    Options read_only = options;
    read_only.read_only = true;
    absl::StatusOr<std::unique_ptr<Store>> follower =
        Store::Open(path(), read_only);
    EXPECT_TRUE(follower.ok()) << follower.status();
    Learn();
    EXPECT_EQ((*follower)->Refresh(), absl::OkStatus());
    return *std::move(follower);
  }
  void PutNext() {
    Put(Key(next_), Text(next_));
    ++next_;
  }
  void ExpectAll() {
    for (int i = 0; i < next_; ++i) ASSERT_EQ(Get(Key(i)), Text(i)) << i;
    EXPECT_EQ(All().size(), static_cast<size_t>(next_));
  }

  // Of a value that is put now.
  uint64_t StoredBytes(const std::string& value) {
    const uint64_t before = store().GetStatistics().stored_value_bytes;
    Put("measured", value);
    const uint64_t bytes = store().GetStatistics().stored_value_bytes - before;
    Delete("measured");
    return bytes;
  }

  void RemoveDictionary() {
    std::filesystem::remove(PathOf(DictionaryName(Image())));
  }
  std::string RepairedPath() const { return path() + "-repaired"; }

  int next_ = 0;
  int first_with_ = 0;  // of those that need the dictionary
};

TEST_F(DictionaryStoreTest, SmallValuesShrinkOnceTheStoreHasLearnt) {
  const uint64_t before = StoredBytes(Text(5000));
  Learn();
  EXPECT_LT(StoredBytes(Text(5000)), before / 2);
  ExpectAll();
  Reopen();
  EXPECT_LT(StoredBytes(Text(5000)), before / 2);
  ExpectAll();
  Kill();
  Open();
  ExpectAll();
  EXPECT_TRUE(Verify(path())->clean);
}

TEST_F(DictionaryStoreTest, ThereIsNeverASecondOne) {
  Learn();
  const std::string name = DictionaryName(Image());
  options.compression_dictionary_bytes = 4096;
  Reopen();
  for (int i = 0; i < 500; ++i) PutNext();
  EXPECT_EQ(DictionaryName(Image()), name);
}

TEST_F(DictionaryStoreTest, AThreadLearnsItBesideWriters) {
  options.background_threads = true;
  options.sync_interval = absl::Milliseconds(1);
  Reopen();
  while (store().GetStatistics().dictionary_bytes == 0) {
    ASSERT_LT(next_, 100'000);
    for (int i = 0; i < 50; ++i) PutNext();
  }
  Reopen();
  ExpectAll();
}

TEST_F(DictionaryStoreTest, NothingIsLearntUnlessAskedFor) {
  for (const auto& [compression, bytes] :
       {std::pair(Compression::kZstd, 0), std::pair(Compression::kLz4, 1024)}) {
    options.compression = compression;
    options.compression_dictionary_bytes = static_cast<size_t>(bytes);
    Reopen();
    for (int i = 0; i < 300; ++i) PutNext();
  }
  EXPECT_EQ(DictionaryName(Image()), "");
}

TEST_F(DictionaryStoreTest, NothingIsLearntOfNoise) {
  std::mt19937_64 random(1);
  for (int i = 0; i < 400; ++i) {
    std::string noise(100, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    Put(Key(i), noise);
  }
  EXPECT_EQ(DictionaryName(Image()), "");
}

TEST_F(DictionaryStoreTest, ValuesAreReadWhateverTheOptionsAre) {
  Learn();
  options.compression_dictionary_bytes = 0;
  Reopen();
  ExpectAll();
  EXPECT_GT(StoredBytes(Text(5000)), 100u);
  for (const Compression method : {Compression::kNone, Compression::kLz4}) {
    options.compression = method;
    Reopen();
    ExpectAll();
    PutNext();
  }
}

TEST_F(DictionaryStoreTest, ImpossibleSizesAreRefused) {
  Close();
  for (const size_t bytes : {size_t{1}, size_t{255}, (size_t{1} << 20) + 1}) {
    options.compression_dictionary_bytes = bytes;
    EXPECT_TRUE(absl::IsInvalidArgument(TryOpen())) << bytes;
  }
}

TEST_F(DictionaryStoreTest, MergesSnapshotsAndFeedsShowTheValues) {
  Learn();
  const auto then = store().GetSnapshot();
  const Contents all = All();
  auto feed = store().NewChangeFeed();
  ASSERT_TRUE(feed.ok()) << feed.status();
  for (int i = 0; i < next_; ++i) {
    ASSERT_TRUE((*feed)->Next().value());
    EXPECT_EQ((*feed)->value(), Text(i));
  }
  for (int i = 0; i < next_; i += 2) Put(Key(i), Text(i));
  EXPECT_EQ(store().Merge({.all = true}), absl::OkStatus());
  EXPECT_EQ(Visit(NewIterator({.snapshot = then.get()}).get()), all);
  ExpectAll();
  Reopen();
  ExpectAll();
}

TEST_F(DictionaryStoreTest, AReadOnlyStoreMeetsOneThatIsNewer) {
  const std::unique_ptr<Store> follower = FollowerFromBefore();
  EXPECT_EQ(follower->Get(Key(next_ - 1)).value(), Text(next_ - 1));
  EXPECT_EQ(Visit(follower->NewIterator()->get()), All());
  const std::string place = path() + "-backup";
  EXPECT_EQ(follower->Backup(place), absl::OkStatus());
  EXPECT_TRUE(Verify(place)->clean);
}

TEST_F(DictionaryStoreTest, AnIteratorMeetsItAfterTheEndOfItsStore) {
  std::unique_ptr<Store> follower = FollowerFromBefore();
  const std::unique_ptr<Iterator> iterator = *follower->NewIterator();
  follower = nullptr;
  EXPECT_EQ(Visit(iterator.get()), All());
}

TEST_F(DictionaryStoreTest, BackupsHaveItToo) {
  const std::string place = path() + "-backup";
  PutNext();
  ASSERT_EQ(store().Backup(place), absl::OkStatus());
  Learn();
  ASSERT_EQ(store().Backup(place), absl::OkStatus());
  ASSERT_EQ(store().Backup(place), absl::OkStatus());
  EXPECT_TRUE(Verify(place)->clean);
  const auto backup = Store::Open(place, {.read_only = true});
  ASSERT_TRUE(backup.ok()) << backup.status();
  EXPECT_EQ(Visit((*backup)->NewIterator()->get()), All());
  // And so has what is restored from one.
  const std::string restored = path() + "-restored";
  ASSERT_EQ((*backup)->Backup(restored), absl::OkStatus());
  const auto store = Store::Open(restored);
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Visit((*store)->NewIterator()->get()), All());
}

TEST_F(DictionaryStoreTest, ABackupThatLacksItsDictionaryIsNotAddedTo) {
  const std::string place = path() + "-backup";
  Learn();
  ASSERT_EQ(store().Backup(place), absl::OkStatus());
  std::filesystem::remove(place + "/" + DictionaryName(Image()));
  PutNext();
  EXPECT_TRUE(absl::IsDataLoss(store().Backup(place)));
}

// ---- What a crash leaves ----

TEST_F(DictionaryStoreTest, OneThatWasMadeButNotListedIsListed) {
  Learn();
  const DirectoryImage learnt = Image();
  const std::string name = DictionaryName(learnt);
  Close();
  WriteDirectory(path(), {});
  options.compression_dictionary_bytes = 0;
  Open();
  next_ = 0;
  PutNext();
  Kill();
  WriteFile(PathOf(name), learnt.at(name));
  options.compression_dictionary_bytes = 1024;
  Open();
  EXPECT_LT(StoredBytes(Text(5000)), 100u);
  PutNext();
  Reopen();
  ExpectAll();
  RemoveDictionary();
  Close();
  EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
}

TEST_F(DictionaryStoreTest, OneThatWasNotFinishedIsRemoved) {
  PutNext();
  Close();
  for (const char* bytes : {"", "STAVEDIC", "anything"}) {
    WriteFile(PathOf("DICTIONARY-7"), bytes);
    EXPECT_TRUE(Verify(path())->clean);
    Open();
    EXPECT_EQ(DictionaryName(Image()), "");
    Close();
  }
  Open();
  Learn();
  ExpectAll();
}

// ---- Damage ----

class DamagedDictionaryTest : public DictionaryStoreTest {
 protected:
  DamagedDictionaryTest() {
    Learn();
    Close();
    name_ = DictionaryName(Image());
  }

  // Nothing has changed then.
  void ExpectRefused() {
    const DirectoryImage before = Image();
    const absl::Status status = TryOpen();
    EXPECT_TRUE(absl::IsDataLoss(status)) << status;
    EXPECT_NE(status.message().find(name_), absl::string_view::npos) << status;
    EXPECT_EQ(Difference(before, Image()), "");
    options.read_only = true;
    EXPECT_TRUE(absl::IsDataLoss(TryOpen()));
    options.read_only = false;
  }

  // What needs no dictionary is there, and of all else it is said.
  void ExpectTheOthers() {
    const absl::StatusOr<VerifyReport> report = Verify(path());
    ASSERT_TRUE(report.ok()) << report.status();
    ASSERT_EQ(report->damage.size(), 1u);
    EXPECT_EQ(report->damage[0].file, name_);
    const auto lacking = static_cast<uint64_t>(next_ - first_with_);
    EXPECT_EQ(report->lost, lacking);
    EXPECT_EQ(report->records, static_cast<uint64_t>(first_with_));

    options.open_damaged = true;
    Open();
    for (int i = 0; i < next_; ++i) {
      EXPECT_EQ(Get(Key(i)), i < first_with_ ? Text(i) : "DATA_LOSS") << i;
    }
    EXPECT_EQ(Get("none"), "NOT_FOUND");
    Close();

    const absl::StatusOr<RepairReport> repaired =
        Repair(path(), RepairedPath());
    ASSERT_TRUE(repaired.ok()) << repaired.status();
    EXPECT_EQ(repaired->recovered, static_cast<uint64_t>(first_with_));
    EXPECT_EQ(repaired->lost, lacking);
    const auto store = Store::Open(RepairedPath());
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(Visit((*store)->NewIterator()->get()).size(),
              static_cast<size_t>(first_with_));
  }

  // From where it stands on there are so many keys, and then the end.
  static void ExpectEnd(Iterator* iterator, void (Iterator::*go)(), size_t keys,
                        absl::StatusCode code = absl::StatusCode::kDataLoss) {
    for (; iterator->Valid() && keys > 0; (iterator->*go)()) --keys;
    EXPECT_EQ(keys, 0u);
    EXPECT_FALSE(iterator->Valid());
    EXPECT_EQ(iterator->status().code(), code) << iterator->status();
  }

  std::string name_;
};

TEST_F(DamagedDictionaryTest, AMissingOneIsRefusedAndCostsWhatNeedsIt) {
  RemoveDictionary();
  ExpectRefused();
  ExpectTheOthers();
}

TEST_F(DamagedDictionaryTest, AnIteratorVisitsTheOthersAndEndsWithDataLoss) {
  Open();
  // Too short to be compressed; in front of all others, and behind.
  Put("a", "1");
  Put("z", "2");
  Close();
  RemoveDictionary();
  options.open_damaged = true;
  const size_t others = static_cast<size_t>(first_with_) + 2;
  for (const KeydirKind keydir : {KeydirKind::kHash, KeydirKind::kOrdered}) {
    options.keydir = keydir;
    Open();
    const std::unique_ptr<Iterator> iterator = NewIterator();
    iterator->SeekToFirst();
    ExpectEnd(iterator.get(), &Iterator::Next, others);
    if (keydir == KeydirKind::kOrdered) {
      iterator->SeekToLast();
      ExpectEnd(iterator.get(), &Iterator::Prev, others);
      // What is left out elsewhere does not matter.
      iterator->Seek("z");
      ExpectEnd(iterator.get(), &Iterator::Next, 1, absl::StatusCode::kOk);
      // One that turns around is still in the same walk.
      const auto transaction = store().Begin();
      const auto turning = transaction->NewIterator();
      ASSERT_TRUE(turning.ok()) << turning.status();
      (*turning)->SeekToFirst();
      while ((*turning)->Valid() && (*turning)->key() != "z") {
        (*turning)->Next();
      }
      (*turning)->Prev();
      (*turning)->Next();
      ExpectEnd(turning->get(), &Iterator::Next, 1);
    }
    Close();
  }
}

// It is certain that an older value is not the last one.
TEST_F(DamagedDictionaryTest, RepairKeepsNoOlderValueInPlaceOfALostOne) {
  Open();
  Put(Key(0), Text(5000));
  Put("plain", "1");
  Close();
  RemoveDictionary();
  const absl::StatusOr<RepairReport> repaired = Repair(path(), RepairedPath());
  ASSERT_TRUE(repaired.ok()) << repaired.status();
  EXPECT_EQ(repaired->recovered, static_cast<uint64_t>(first_with_));
  const auto store = Store::Open(RepairedPath());
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_TRUE(absl::IsNotFound((*store)->Get(Key(0)).status()));
  EXPECT_EQ((*store)->Get(Key(1)).value(), Text(1));
  EXPECT_EQ((*store)->Get("plain").value(), "1");
}

TEST_F(DamagedDictionaryTest, AWrongByteIsRefusedAndCostsWhatNeedsIt) {
  // The last one is content: zstd has no check of its own there.
  FlipBit(PathOf(name_), ReadFile(PathOf(name_)).size() - 1);
  ExpectRefused();
  ExpectTheOthers();
}

TEST_F(DamagedDictionaryTest, OnePutBackIsAsItWas) {
  const std::string bytes = ReadFile(PathOf(name_));
  RemoveDictionary();
  ExpectRefused();
  WriteFile(PathOf(name_), bytes);
  Open();
  ExpectAll();
}

// Sound, and of the same id.
TEST_F(DamagedDictionaryTest, AnotherDictionaryIsRefused) {
  std::string bytes = ReadFile(PathOf(name_));
  bytes.back() ^= 1;
  EncodeFixed(ExtendCrc32c(Crc32c(bytes.substr(0, 8)), bytes.substr(12)),
              &bytes[8]);
  ASSERT_TRUE(Dictionary::Decode(bytes).ok());
  WriteFile(PathOf(name_), bytes);
  ExpectRefused();
  ExpectTheOthers();
}

TEST_F(DamagedDictionaryTest, RepairCopiesASoundOne) {
  ASSERT_TRUE(Repair(path(), RepairedPath()).ok());
  EXPECT_TRUE(Verify(RepairedPath())->clean);
  const auto store = Store::Open(RepairedPath());
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Visit((*store)->NewIterator()->get()).size(),
            static_cast<size_t>(next_));
}

TEST_F(DamagedDictionaryTest, WithoutAManifestItIsFound) {
  std::filesystem::remove(PathOf(ManifestName(Image())));
  ASSERT_TRUE(Repair(path(), RepairedPath()).ok());
  const auto store = Store::Open(RepairedPath());
  ASSERT_TRUE(store.ok()) << store.status();
  EXPECT_EQ(Visit((*store)->NewIterator()->get()).size(),
            static_cast<size_t>(next_));
}

}  // namespace
}  // namespace stave
