// Shows a key's value whenever it changes, beside the process that writes:
//
//   bazel run //examples/follow -- /tmp/store greeting 3
//
// ends after three values. The store is opened read-only, so nothing here can
// change it or hold its writer up.

#include <cstdlib>
#include <iostream>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/time/clock.h"
#include "absl/time/time.h"
#include "stave/store.h"

namespace {

absl::StatusOr<std::unique_ptr<stave::Store>> OpenFollower(
    std::string_view directory) {
  stave::Options options;
  options.read_only = true;
  return stave::Store::Open(directory, options);
}

absl::Status Follow(std::string_view directory, std::string_view key,
                    int values) {
  absl::StatusOr<std::unique_ptr<stave::Store>> store = OpenFollower(directory);
  if (!store.ok()) return store.status();
  std::optional<std::string> shown;
  while (values > 0) {
    absl::Status status = (*store)->Refresh();
    if (absl::IsFailedPrecondition(status)) {
      // The directory has another store now, or has lost what was shown.
      store = OpenFollower(directory);
      status = store.status();
    }
    if (!status.ok()) return status;
    const absl::StatusOr<std::string> value = (*store)->Get(key);
    if (!value.ok() && !absl::IsNotFound(value.status())) {
      return value.status();
    }
    if (value.ok() && shown != *value) {
      shown = *value;
      std::cout << *shown << std::endl;
      --values;
    } else {
      absl::SleepFor(absl::Milliseconds(10));
    }
  }
  return absl::OkStatus();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 4) {
    std::cerr << "usage: follow DIRECTORY KEY VALUES\n";
    return 2;
  }
  const absl::Status status = Follow(argv[1], argv[2], std::atoi(argv[3]));
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
