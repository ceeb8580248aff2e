#include "engine/format/compression.h"

#include <cstdint>
#include <memory>
#include <random>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/base/coding.h"
#include "engine/format/dictionary.h"
#include "gtest/gtest.h"
#include "stave/limits.h"
#include "tests/engine/format/damage.h"

namespace stave {
namespace {

class CompressionTest : public testing::TestWithParam<Compression> {
 protected:
  CompressionTest() {
    options.compression = GetParam();
    options.compression_threshold_bytes = 1;
  }

  StoredValue Compress(std::string_view value) {
    return Compressor(options).Compress(value, &buffer_);
  }
  // As somebody might write them; the size is the value's.
  StoredValue Forged(uint32_t size, std::string_view rest) {
    forged_.resize(sizeof(size));
    EncodeFixed(size, forged_.data());
    forged_ += rest;
    return {GetParam(), forged_};
  }

  static std::string Text(size_t size) {
    std::string text;
    while (text.size() < size) text += "all work and no play; ";
    return text.substr(0, size);
  }
  static std::string Noise(size_t size) {
    std::mt19937_64 random(7);
    std::string noise(size, '\0');
    for (char& byte : noise) byte = static_cast<char>(random());
    return noise;
  }

  Options options;

 private:
  std::unique_ptr<char[]> buffer_;
  std::string forged_;
};

// The value, or what else came of it.
std::string Restored(const StoredValue& stored) {
  const absl::StatusOr<size_t> size = PlainSize(stored);
  if (!size.ok()) return absl::StatusCodeToString(size.status().code());
  // Of just this size, so that a sanitizer sees what is written behind it.
  const auto bytes = std::make_unique<char[]>(*size);
  const absl::Status status =
      Restore(stored, DictionarySet(), *size, bytes.get());
  if (!status.ok()) return absl::StatusCodeToString(status.code());
  return std::string(bytes.get(), *size);
}

TEST_P(CompressionTest, WhatShrinksComesBack) {
  for (const size_t size : {60, 1000, 100'000, 3'000'000}) {
    const std::string value = Text(size);
    const StoredValue stored = Compress(value);
    EXPECT_EQ(stored.compression, GetParam());
    EXPECT_LE(stored.bytes.size(), size - size / 8);
    EXPECT_EQ(Restored(stored), value) << size;
  }
}

TEST_P(CompressionTest, WhatDoesNotShrinkIsStoredAsItIs) {
  for (const std::string& value :
       {std::string(), std::string("a"), std::string(8, 'a'), Noise(10),
        Noise(1000), Noise(100'000)}) {
    const StoredValue stored = Compress(value);
    EXPECT_EQ(stored.compression, Compression::kNone) << value.size();
    EXPECT_EQ(stored.bytes.data(), value.data());
    EXPECT_EQ(Restored(stored), value);
  }
}

TEST_P(CompressionTest, LessThanAnEighthIsNotWorthIt) {
  const StoredValue stored = Compress(Noise(1000) + std::string(100, 'x'));
  EXPECT_EQ(stored.compression, Compression::kNone);
  EXPECT_EQ(Compress(Noise(1000) + std::string(300, 'x')).compression,
            GetParam());
}

TEST_P(CompressionTest, ShortValuesAreLeftAlone) {
  options.compression_threshold_bytes = 500;
  EXPECT_EQ(Compress(Text(499)).compression, Compression::kNone);
  EXPECT_EQ(Compress(Text(500)).compression, GetParam());
}

TEST_P(CompressionTest, HigherLevelsAreRestoredAlike) {
  const std::string value = Text(5000) + Noise(50) + Text(5000);
  for (int level = 0; level <= kMaxCompressionLevel; ++level) {
    options.compression_level = level;
    EXPECT_EQ(Restored(Compress(value)), value) << level;
  }
}

TEST_P(CompressionTest, NoMemoryIsTakenForWhatIsImpossible) {
  EXPECT_EQ(Restored({GetParam(), "abc"}), "DATA_LOSS");
  const std::string rest(1000, 'x');
  for (const uint32_t size :
       {uint32_t{0}, uint32_t{kMaxValueBytes} + 1, uint32_t{0xffffffff}}) {
    EXPECT_TRUE(absl::IsDataLoss(PlainSize(Forged(size, rest)).status()));
  }
  // A thousand bytes can't be a gigabyte.
  EXPECT_FALSE(PlainSize(Forged(kMaxValueBytes, rest)).ok());
  const uint32_t most = GetParam() == Compression::kLz4 ? 255'000 : 251 << 17;
  EXPECT_TRUE(PlainSize(Forged(most, rest)).ok());
  EXPECT_FALSE(PlainSize(Forged(most + 1, rest)).ok());
}

// The densest there is must be within the limit.
TEST_P(CompressionTest, ZerosComeBack) {
  const std::string zeros(32 << 20, '\0');
  const StoredValue stored = Compress(zeros);
  ASSERT_EQ(stored.compression, GetParam());
  const absl::StatusOr<size_t> size = PlainSize(stored);
  ASSERT_TRUE(size.ok()) << size.status();
  EXPECT_EQ(Restored(stored) == zeros, true);
}

TEST_P(CompressionTest, AnotherSizeIsDataLoss) {
  const std::string value = Text(1000);
  const std::string rest(Compress(value).bytes.substr(4));
  EXPECT_EQ(Restored(Forged(1000, rest)), value);
  for (const uint32_t size : {1, 999, 1001, 5000}) {
    EXPECT_EQ(Restored(Forged(size, rest)), "DATA_LOSS") << size;
  }
}

TEST_P(CompressionTest, MoreThanOneFrameOrBlockIsDataLoss) {
  const std::string rest(Compress(Text(1000)).bytes.substr(4));
  EXPECT_EQ(Restored(Forged(2000, rest + rest)), "DATA_LOSS");
  EXPECT_EQ(Restored(Forged(1000, rest + "x")), "DATA_LOSS");
}

TEST_P(CompressionTest, WrongBytesNeverWriteElsewhere) {
  const std::string stored(Compress(Text(300) + Noise(40)).bytes);
  ForEachFlippedBit(stored, [](const std::string& damaged) {
    Restored({GetParam(), damaged});
  });
  for (size_t length = 0; length < stored.size(); ++length) {
    const std::string cut = stored.substr(0, length);
    EXPECT_EQ(Restored({GetParam(), cut}), "DATA_LOSS") << length;
  }
}

INSTANTIATE_TEST_SUITE_P(Methods, CompressionTest,
                         testing::Values(Compression::kZstd,
                                         Compression::kLz4));

}  // namespace
}  // namespace stave
