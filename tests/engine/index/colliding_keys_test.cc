#include "tests/engine/base/colliding_keys.h"

#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <string>
#include <vector>

#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/index/hash_keydir.h"
#include "engine/index/keydir.h"
#include "gtest/gtest.h"

namespace stave {
namespace {

constexpr size_t kKeys = 100'000;

// A store's own secret, and one that everybody knows.
const KeyHasher& SecretHash() {
  static const auto* const hasher = [] {
    HashSecret secret;
    uint64_t random = 88172645463325252u;
    for (char& byte : secret) {
      random ^= random << 13;
      random ^= random >> 7;
      random ^= random << 17;
      byte = static_cast<char>(random >> 32);
    }
    return new KeyHasher(secret);
  }();
  return *hasher;
}
const KeyHasher& KnownHash() {
  static const auto* const hasher = new KeyHasher(HashSecret{});
  return *hasher;
}

// How many keys the fullest of 256 equal parts of all hashes has.
size_t FullestPart(const std::vector<std::string>& keys,
                   const KeyHasher& hash) {
  std::vector<size_t> parts(256);
  for (const std::string& key : keys) ++parts[hash(key).prefix >> 56];
  return *std::max_element(parts.begin(), parts.end());
}

uint64_t BytesOfKeydirWith(const std::vector<std::string>& keys) {
  HashKeydir keydir;
  uint64_t unit = 0;
  for (const std::string& key : keys) {
    const auto entry = KeydirEntry::Live(Location{++unit}, 64, false);
    EXPECT_TRUE(keydir.Put({key, SecretHash()(key)}, entry).ok());
  }
  EXPECT_EQ(keydir.GetStatistics().keys, keys.size());
  return keydir.GetStatistics().bytes;
}

std::vector<std::string> PlainKeys() {
  std::vector<std::string> keys;
  for (size_t i = 0; i < kKeys; ++i) keys.push_back(std::to_string(i));
  return keys;
}

// Of 100,000 keys a part has 391 on average; that one of 256 has 520 or more by
// chance is a matter of 1 in 10^7.
constexpr size_t kEven = 520;

TEST(CollidingKeysTest, KeysThatAreOneToAHashWithoutSecretSpreadEvenly) {
  const std::vector<std::string> keys = CollidingKeys(kKeys);
  EXPECT_LT(FullestPart(keys, SecretHash()), kEven);
  EXPECT_LT(BytesOfKeydirWith(keys), BytesOfKeydirWith(PlainKeys()) * 5 / 4);
}

TEST(CollidingKeysTest, KeysOfOnePageUnderAKnownSecretSpreadEvenly) {
  const auto keys = KeysOfOnePage(kKeys, /*bits=*/8, KnownHash());
  EXPECT_EQ(FullestPart(keys, KnownHash()), kKeys);
  EXPECT_LT(FullestPart(keys, SecretHash()), kEven);
  EXPECT_LT(BytesOfKeydirWith(keys), BytesOfKeydirWith(PlainKeys()) * 5 / 4);
}

}  // namespace
}  // namespace stave
