// Compiles and runs the example of README.md, which readme_test keeps the
// same as what stands between the two marks here.

#include <iostream>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "stave/store.h"

namespace {

// README example begins.
absl::Status Greet(std::string_view directory) {
  auto store = stave::Store::Open(directory);  // makes it if there is none
  if (!store.ok()) return store.status();
  absl::Status put = (*store)->Put("greeting", "hello");  // survives kill -9
  if (!put.ok()) return put;
  absl::StatusOr<std::string> value = (*store)->Get("greeting");
  if (!value.ok()) return value.status();
  std::cout << *value << "\n";  // hello
  return (*store)->Close();     // now it survives a power failure too
}
// README example ends.

TEST(ReadmeExampleTest, PrintsWhatItPut) {
  std::ostringstream printed;
  std::streambuf* const standard_output = std::cout.rdbuf(printed.rdbuf());
  const absl::Status status = Greet(::testing::TempDir() + "/greetings");
  std::cout.rdbuf(standard_output);
  EXPECT_TRUE(status.ok()) << status;
  EXPECT_EQ(printed.str(), "hello\n");
}

}  // namespace
