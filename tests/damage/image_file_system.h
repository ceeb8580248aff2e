#ifndef STAVE_TESTS_DAMAGE_IMAGE_FILE_SYSTEM_H_
#define STAVE_TESTS_DAMAGE_IMAGE_FILE_SYSTEM_H_

#include <map>
#include <memory>
#include <string>
#include <string_view>

#include "engine/fs/file_system.h"
#include "tests/engine/core/directory_image.h"

namespace stave {

// One directory in memory, whatever its path, that holds the files of an
// image: so that a store can be opened in a few microseconds. Never fails, and
// knows nothing of durability. For one thread.
class ImageFileSystem : public FileSystem {
 public:
  explicit ImageFileSystem(const DirectoryImage& files = {});

  // What the files hold now.
  DirectoryImage Files() const;

  // How many calls have made, changed or removed a file other than LOCK.
  int changes() const { return changes_; }

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override;
  absl::Status CreateDirectory(std::string_view path) override;

 private:
  class Bytes;
  class Mapping;
  class OpenedFile;
  class OpenedDirectory;

  std::map<std::string, std::shared_ptr<Bytes>, std::less<>> files_;
  int changes_ = 0;
};

}  // namespace stave

#endif  // STAVE_TESTS_DAMAGE_IMAGE_FILE_SYSTEM_H_
