#ifndef STAVE_TESTS_MODEL_PERFORMER_H_
#define STAVE_TESTS_MODEL_PERFORMER_H_

#include <cstdint>
#include <deque>
#include <memory>
#include <string>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "engine/fs/file_system.h"
#include "stave/store.h"
#include "tests/model/operation.h"

namespace stave {

// Does to a store, as far as they are calls, the operations that a Model does
// to itself. What is held stays when the store is closed. Thread-compatible:
// each thread has its own.
class Performer {
 public:
  // Where backups are made, and how they are opened.
  void SetBackupPlace(std::string path, const Options& options) {
    backup_path_ = std::move(path);
    backup_options_ = options;
    backup_options_.read_only = true;
  }

  // The directory, made when it is wanted, where snapshots are saved to a file.
  void SetSnapshotPlace(std::string path, FileSystem* file_system) {
    snapshot_path_ = std::move(path);
    snapshot_disk_ = file_system;
  }

  // Where the store is, and how it is opened by one who follows it.
  void SetStorePlace(std::string path, const Options& options) {
    store_path_ = std::move(path);
    follower_options_ = options;
    follower_options_.read_only = true;
    follower_options_.background_threads = false;
  }
  // A later kFollow opens the store anew.
  void StopFollowing() { follower_ = nullptr; }

  // `store` is borrowed. `now_ms` is the time by which a model says moments.
  absl::StatusOr<Answer> Perform(const Operation& operation, int64_t now_ms,
                                 Store* store);

  void ForgetHeld();

 private:
  absl::Status Pin(const Operation& operation, Store* store, Answer* answer);
  absl::Status Visit(const Operation& operation, Store* store, Answer* answer);
  absl::Status AskSnapshot(const Operation& operation, Store* store,
                           Answer* answer);
  absl::Status BackUp(Store* store, Answer* answer);
  absl::Status Follow(Answer* answer);
  absl::Status ReadFeed(Store* store, int64_t now_ms, Answer* answer);
  absl::Status ReadFeedOnce(Store* store);
  absl::Status SaveSnapshot(const Operation& operation, Store* store,
                            Answer* answer);

  std::deque<std::unique_ptr<Iterator>> held_iterators_;
  std::deque<std::shared_ptr<const Snapshot>> held_snapshots_;
  std::deque<PinnedValue> held_values_;
  std::string backup_path_;
  Options backup_options_;
  std::string snapshot_path_;
  FileSystem* snapshot_disk_ = nullptr;
  std::string store_path_;
  Options follower_options_;
  std::unique_ptr<Store> follower_;
  // What a reader of the feed has made of it, expired keys included.
  Contents copy_;
  FeedPosition copied_;
};

// All that a store shows.
absl::StatusOr<Answer> Whole(Store* store);

}  // namespace stave

#endif  // STAVE_TESTS_MODEL_PERFORMER_H_
