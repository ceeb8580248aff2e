// Reads the changes of a store as a log of events, and goes on where the last
// call has ended:
//
//   bazel run //examples/events -- /tmp/store /tmp/events.position
//
// prints one change a line. Where it is in the log, it keeps in the file of the
// second name. It works beside the process that writes.

#include <fstream>
#include <iostream>
#include <memory>
#include <string>
#include <string_view>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "stave/change_feed.h"
#include "stave/store.h"

namespace {

stave::FeedPosition Load(const std::string& file) {
  stave::FeedPosition position;  // without a file: the oldest
  std::ifstream(file) >> position.incarnation >> position.sequence;
  return position;
}

absl::Status Save(const std::string& file, stave::FeedPosition position) {
  std::ofstream to(file);
  to << position.incarnation << " " << position.sequence << "\n";
  return to.flush() ? absl::OkStatus()
                    : absl::UnavailableError("can't write " + file);
}

absl::Status PrintEvents(std::string_view directory, const std::string& file) {
  stave::Options options;
  options.read_only = true;
  absl::StatusOr<std::unique_ptr<stave::Store>> store =
      stave::Store::Open(directory, options);
  if (!store.ok()) return store.status();
  absl::StatusOr<std::unique_ptr<stave::ChangeFeed>> feed =
      (*store)->NewChangeFeed(Load(file));
  if (absl::IsOutOfRange(feed.status())) {
    // Merges were faster than us: Options::feed_retention_bytes of the writer
    // says how much of the log they leave.
    std::cout << "some events are lost\n";
    feed = (*store)->NewChangeFeed();
  }
  if (!feed.ok()) return feed.status();
  absl::StatusOr<bool> more = (*feed)->Next();
  for (; more.ok() && *more; more = (*feed)->Next()) {
    const bool is_put = (*feed)->kind() == stave::ChangeKind::kPut;
    std::cout << (is_put ? "put " : "delete ") << (*feed)->key();
    if (is_put) std::cout << " " << (*feed)->value();
    std::cout << "\n";
  }
  if (!more.ok()) return more.status();
  // After the events were used: those since then come again after a failure.
  return Save(file, (*feed)->position());
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 3) {
    std::cerr << "usage: events DIRECTORY POSITION_FILE\n";
    return 2;
  }
  const absl::Status status = PrintEvents(argv[1], argv[2]);
  if (!status.ok()) std::cerr << status << "\n";
  return status.ok() ? 0 : 1;
}
