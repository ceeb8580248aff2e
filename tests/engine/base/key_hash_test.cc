#include "engine/base/key_hash.h"

#include <cstddef>
#include <cstdint>
#include <set>
#include <string>
#include <utility>

#include "gtest/gtest.h"

namespace stave {
namespace {

HashSecret SecretFrom(uint8_t first) {
  HashSecret secret;
  for (size_t i = 0; i < secret.size(); ++i) {
    secret[i] = static_cast<char>(first + 31 * i);
  }
  return secret;
}

// Stores hold hashes, so they must stay what they are.
TEST(KeyHashTest, HashesAreTheFrozenOnes) {
  const KeyHasher hasher(SecretFrom(1));
  EXPECT_EQ(hasher(""), (KeyHash{0xbeafc65cf56fc73f, 0x2e2d}));
  EXPECT_EQ(hasher("a"), (KeyHash{0xd4d9acfefe18802b, 0x5fee}));
  EXPECT_EQ(hasher("sixteen letters!"), (KeyHash{0xa93d8e7dd74060fd, 0x3069}));
  EXPECT_EQ(hasher(std::string(100, 'x')),
            (KeyHash{0x9f994f6070ba5aa4, 0x8db9}));
  EXPECT_EQ(hasher(std::string(1000, 'x')),
            (KeyHash{0x1b7c3f9f86acda9f, 0x910e}));
}

TEST(KeyHashTest, AnotherSecretMakesOtherHashes) {
  const KeyHasher one(SecretFrom(1));
  const KeyHasher other(SecretFrom(2));
  EXPECT_NE(one("key"), other("key"));
  EXPECT_NE(one(std::string(300, 'x')), other(std::string(300, 'x')));
}

TEST(KeyHashTest, ZerosCountAsMuchAsOtherBytes) {
  const KeyHasher hasher(SecretFrom(1));
  EXPECT_NE(hasher(std::string(3, '\0')), hasher(std::string(4, '\0')));
}

TEST(KeyHashTest, KeysOfAnyLengthHaveHashesOfTheirOwn) {
  const KeyHasher hasher(SecretFrom(1));
  std::set<std::pair<uint64_t, uint16_t>> seen;
  for (size_t length = 0; length < 2000; ++length) {
    const KeyHash hash = hasher(std::string(length, 'k'));
    EXPECT_NE(hash.prefix, 0);
    EXPECT_TRUE(seen.emplace(hash.prefix, hash.tag).second);
  }
}

}  // namespace
}  // namespace stave
