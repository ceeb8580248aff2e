#ifndef STAVE_TESTS_ENGINE_FS_FILE_SYSTEM_CONTRACT_H_
#define STAVE_TESTS_ENGINE_FS_FILE_SYSTEM_CONTRACT_H_

#include <memory>
#include <string>
#include <string_view>

#include "engine/fs/file_system.h"
#include "gtest/gtest.h"

namespace stave {

// A file system for one test to try out, with an empty directory of its own.
class FileSystemUnderTest {
 public:
  virtual ~FileSystemUnderTest() = default;
  virtual FileSystem& file_system() = 0;
  virtual std::string directory_path() = 0;
};

using MakeFileSystem = std::unique_ptr<FileSystemUnderTest> (*)();

// What every FileSystem must do, the operating system's and simulated ones.
// Depend on :file_system_contract and write
//
//   INSTANTIATE_TEST_SUITE_P(Posix, FileSystemContract,
//                            testing::Values(&MakePosix));
class FileSystemContract : public testing::TestWithParam<MakeFileSystem> {
 protected:
  FileSystemContract();

  FileSystem& files() { return under_test_->file_system(); }
  Directory& directory() { return *directory_; }
  std::string PathOf(std::string_view name) const;

  // A new file that holds `contents`.
  std::unique_ptr<File> Create(std::string_view name,
                               std::string_view contents = "");
  std::unique_ptr<File> Open(std::string_view name);
  std::unique_ptr<FileMapping> Map(File& file, size_t size);

  // All that the file holds.
  static std::string ContentsOf(const File& file);

 private:
  const std::unique_ptr<FileSystemUnderTest> under_test_;
  std::unique_ptr<Directory> directory_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_FILE_SYSTEM_CONTRACT_H_
