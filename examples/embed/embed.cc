// Counts how often it was run, in a store of its own:
//
//   bazel run //:embed -- /tmp/visits
//
// The whole of what another project needs to use stave: a dependency on
// @stave//engine and one header.

#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/store.h"

namespace {

constexpr std::string_view kVisits = "visits";

absl::StatusOr<int> CountVisit(std::string_view directory) {
  absl::StatusOr<std::unique_ptr<stave::Store>> store =
      stave::Store::Open(directory);
  if (!store.ok()) return store.status();

  absl::StatusOr<std::string> before = (*store)->Get(kVisits);
  if (!before.ok() && !absl::IsNotFound(before.status())) {
    return before.status();
  }
  const int visits = before.ok() ? std::stoi(*before) + 1 : 1;
  absl::Status status = (*store)->Put(kVisits, std::to_string(visits));
  if (status.ok()) status = (*store)->Close();
  if (!status.ok()) return status;
  return visits;
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    std::cerr << "usage: embed DIRECTORY\n";
    return 2;
  }
  const absl::StatusOr<int> visits = CountVisit(argv[1]);
  if (!visits.ok()) {
    std::cerr << visits.status() << "\n";
    return 1;
  }
  std::cout << "visit " << *visits << "\n";
  return 0;
}
