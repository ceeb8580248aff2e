#ifndef STAVE_TESTS_SIMULATION_TWO_DISKS_H_
#define STAVE_TESTS_SIMULATION_TWO_DISKS_H_

#include <memory>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {

// A store's disk, and the one that a copy of it is made on at the moment, which
// may be the same.
class TwoDisks : public FileSystem {
 public:
  // The store's directory.
  static constexpr std::string_view kSource = "/source";

  absl::StatusOr<std::unique_ptr<Directory>> OpenDirectory(
      std::string_view path) override {
    return DiskOf(path).OpenDirectory(path);
  }
  absl::Status CreateDirectory(std::string_view path) override {
    return DiskOf(path).CreateDirectory(path);
  }

  SimulatedDisk* source = nullptr;
  SimulatedDisk* target = nullptr;

 private:
  SimulatedDisk& DiskOf(std::string_view path) {
    return path == kSource ? *source : *target;
  }
};

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_TWO_DISKS_H_
