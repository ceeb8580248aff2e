#ifndef STAVE_TESTS_ENGINE_FS_TEMPORARY_DIRECTORY_H_
#define STAVE_TESTS_ENGINE_FS_TEMPORARY_DIRECTORY_H_

#include <string>

namespace stave {

// A new empty directory, removed with all that is in it at the end of a scope.
class TemporaryDirectory {
 public:
  // Below `parent`, or where tests are told to leave their files.
  TemporaryDirectory();
  explicit TemporaryDirectory(const std::string& parent);
  ~TemporaryDirectory();
  TemporaryDirectory(const TemporaryDirectory&) = delete;
  TemporaryDirectory& operator=(const TemporaryDirectory&) = delete;

  const std::string& path() const { return path_; }

 private:
  std::string path_;
};

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_FS_TEMPORARY_DIRECTORY_H_
