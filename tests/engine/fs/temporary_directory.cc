#include "tests/engine/fs/temporary_directory.h"

#include <stdlib.h>

#include <cerrno>
#include <cstdio>
#include <filesystem>
#include <system_error>

#include "gtest/gtest.h"

namespace stave {

TemporaryDirectory::TemporaryDirectory()
    : TemporaryDirectory(testing::TempDir()) {}

TemporaryDirectory::TemporaryDirectory(const std::string& parent)
    : path_(std::filesystem::canonical(parent) / "stave-XXXXXX") {
  if (mkdtemp(path_.data()) == nullptr) {
    std::perror(path_.c_str());
    std::abort();  // No test can go on.
  }
}

TemporaryDirectory::~TemporaryDirectory() {
  std::error_code ignored;  // Leftovers are nobody's failure.
  std::filesystem::remove_all(path_, ignored);
}

}  // namespace stave
