#include "engine/format/dictionary.h"

#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "engine/format/compression.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

std::string Text(int number) {
  return absl::StrCat("Package: lib", number * 7919 % 10007,
                      "-dev\nVersion: ", number % 9, ".", number * 31 % 100,
                      "\nMaintainer: Debian Games Team\nSection: libdevel\n"
                      "Description: development files of number ",
                      number * 104729 % 100'003, "\n");
}

using Made = std::unique_ptr<const Dictionary>;

Made Trained(size_t size = 1024) {
  std::string bytes;
  std::vector<size_t> sizes;
  for (int i = 0; i < 1000; ++i) {
    sizes.push_back(Text(i).size());
    bytes += Text(i);
  }
  absl::StatusOr<Made> made = Dictionary::Train(bytes, sizes, size);
  EXPECT_TRUE(made.ok()) << made.status();
  return *std::move(made);
}

DictionarySet& AddTo(DictionarySet* set, Made dictionary) {
  EXPECT_TRUE(set->Add(std::move(dictionary)));
  return *set;
}

Options Zstd() {
  Options options;
  options.compression = Compression::kZstd;
  options.compression_threshold_bytes = 1;
  return options;
}

absl::StatusOr<std::string> Restored(const StoredValue& stored,
                                     const DictionarySet& dictionaries) {
  std::string value(*PlainSize(stored), '\0');
  const absl::Status status =
      Restore(stored, dictionaries, value.size(), value.data());
  if (!status.ok()) return status;
  return value;
}

TEST(DictionaryTest, IsReadAsItWasTrained) {
  const Made trained = Trained();
  EXPECT_GE(trained->id(), 1u);
  EXPECT_LE(trained->id(), 65'535u);
  EXPECT_LE(trained->content().size(), 1024u);
  const absl::StatusOr<Made> read =
      Dictionary::Decode(std::string(trained->file()));
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ((*read)->id(), trained->id());
  EXPECT_EQ((*read)->checksum(), trained->checksum());
  EXPECT_EQ((*read)->content(), trained->content());
}

TEST(DictionaryTest, TheSameSamplesGiveTheSameDictionary) {
  EXPECT_EQ(Trained()->file(), Trained()->file());
}

TEST(DictionaryTest, TooFewSamplesGiveNone) {
  const std::vector<size_t> sizes = {4};
  EXPECT_TRUE(
      absl::IsNotFound(Dictionary::Train("text", sizes, 1024).status()));
}

TEST(DictionaryTest, AnyWrongBitAndLengthIsDataLoss) {
  const std::string file(Trained(256)->file());
  ForEachFlippedBit(file, [](const std::string& damaged) {
    EXPECT_TRUE(absl::IsDataLoss(Dictionary::Decode(damaged).status()));
  });
  for (size_t length = 0; length < file.size(); ++length) {
    EXPECT_TRUE(
        absl::IsDataLoss(Dictionary::Decode(file.substr(0, length)).status()))
        << length;
  }
  EXPECT_TRUE(absl::IsDataLoss(Dictionary::Decode(file + "x").status()));
}

TEST(DictionaryTest, SmallValuesShrinkFurtherAndComeBack) {
  DictionarySet set;
  Made trained = Trained();
  Compressor plain(Zstd());
  Compressor with(Zstd());
  with.Use(*trained);
  AddTo(&set, std::move(trained));
  std::unique_ptr<char[]> buffer;
  for (int i = 2000; i < 2100; ++i) {
    const std::string value = Text(i);
    const size_t before = plain.Compress(value, &buffer).bytes.size();
    const StoredValue stored = with.Compress(value, &buffer);
    EXPECT_LT(stored.bytes.size(), before / 2);
    EXPECT_EQ(*Restored(stored, set), value);
  }
}

// Contexts are a thread's, not a store's.
TEST(DictionaryTest, CompressorsOfOneThreadKeepTheirOwn) {
  const DictionarySet none;
  Compressor plain(Zstd());
  Compressor with(Zstd());
  with.Use(*Trained());
  std::unique_ptr<char[]> buffer;
  with.Compress(Text(1), &buffer);
  const std::string value = Text(1) + Text(2) + Text(3);
  const StoredValue stored = plain.Compress(value, &buffer);
  EXPECT_EQ(DictionaryOf(stored), 0u);
  EXPECT_EQ(*Restored(stored, none), value);
}

// zstd's context stays in the middle of its work then.
TEST(DictionaryTest, AValueThatDoesNotShrinkLeavesNothingBehind) {
  const DictionarySet none;
  Compressor plain(Zstd());
  std::unique_ptr<char[]> buffer;
  const std::string noise = "8f3a!Qz0-+7%m?Vb";
  {
    Compressor with(Zstd());
    with.Use(*Trained());
    EXPECT_EQ(with.Compress(noise, &buffer).compression, Compression::kNone);
  }
  const std::string value = Text(1) + Text(2) + Text(3);
  const StoredValue stored = plain.Compress(value, &buffer);
  EXPECT_EQ(DictionaryOf(stored), 0u);
  EXPECT_EQ(*Restored(stored, none), value);
}

TEST(DictionaryTest, WithoutItsDictionaryAValueIsDataLoss) {
  const Made trained = Trained();
  Compressor with(Zstd());
  with.Use(*trained);
  std::unique_ptr<char[]> buffer;
  const StoredValue stored = with.Compress(Text(5), &buffer);
  EXPECT_EQ(DictionaryOf(stored), trained->id());
  DictionarySet others;
  AddTo(&others, Trained(512));
  ASSERT_EQ(others.Find(trained->id()), nullptr);
  const absl::Status status = Restored(stored, others).status();
  EXPECT_TRUE(absl::IsDataLoss(status));
  EXPECT_EQ(status.message(),
            absl::StrCat("a compressed value that needs DICTIONARY-",
                         trained->id(), ", which is missing or damaged"));
}

TEST(DictionaryTest, ASetHasEachOnce) {
  DictionarySet set;
  const uint32_t id = Trained()->id();
  EXPECT_EQ(set.Find(id), nullptr);
  EXPECT_TRUE(set.Add(Trained()));
  EXPECT_FALSE(set.Add(Trained()));
  EXPECT_EQ(set.All(), std::vector<const Dictionary*>{set.Find(id)});
}

}  // namespace
}  // namespace stave
