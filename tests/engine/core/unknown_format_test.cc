#include <cstdint>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/damage_fixture.h"

namespace stave {
namespace {

// Stores of a later version of the format, whose checksums are right.
class UnknownFormatTest : public DamageFixture {
 protected:
  void ExpectRefused(const std::string& name) {
    const DirectoryImage before = Image();
    for (const bool read_only : {true, false}) {
      options.read_only = read_only;
      const absl::Status status = TryOpen();
      EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
      const std::string message(status.message());
      EXPECT_NE(message.find(PathOf(name)), std::string::npos) << message;
      EXPECT_NE(message.find("version 2"), std::string::npos) << message;
      EXPECT_EQ(Difference(before, Image()), "");
    }
  }
};

TEST_F(UnknownFormatTest, OfTheManifestIsRefused) {
  CloseWithoutHints();
  std::string bytes = ReadFile(PathOf("MANIFEST-1"));
  EncodeFixed(uint32_t{2}, &bytes[8]);
  char number[8];
  EncodeFixed(uint64_t{1}, number);
  const std::string_view covered(bytes.data(), 12);
  EncodeFixed(ExtendCrc32c(Crc32c(std::string_view(number, 8)), covered),
              &bytes[12]);
  WriteFile(PathOf("MANIFEST-1"), bytes);
  ExpectRefused("MANIFEST-1");
}

TEST_F(UnknownFormatTest, OfASegmentIsRefused) {
  CloseWithoutHints();
  const std::string name = Segment(0);
  std::string bytes = ReadFile(PathOf(name));
  EncodeFixed(uint16_t{2}, &bytes[12]);
  const std::string_view header(bytes.data(), 32);
  EncodeFixed(ExtendCrc32c(Crc32c(header.substr(0, 8)), header.substr(12)),
              &bytes[8]);
  WriteFile(PathOf(name), bytes);
  ExpectRefused(name);
}

}  // namespace
}  // namespace stave
