#include "tests/model/model_run.h"

#include <sys/wait.h>
#include <unistd.h>

#include <cstdio>
#include <iterator>
#include <utility>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "gtest/gtest.h"
#include "tests/engine/core/scratch_place.h"

namespace stave {
namespace {

constexpr size_t kMaxHeld = 4;

Model::Contents Visit(Iterator* iterator) {
  Model::Contents contents;
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    const bool is_new = contents
                            .emplace(std::string(iterator->key()),
                                     std::string(iterator->value()))
                            .second;
    EXPECT_TRUE(is_new) << "visited twice: " << iterator->key();
  }
  EXPECT_TRUE(iterator->status().ok()) << iterator->status();
  return contents;
}

}  // namespace

ModelRun::ModelRun(uint64_t seed) : random_(seed) {
  for (int i = 0; i < 4096; ++i) noise_ += static_cast<char>(random_());
  ChooseKeys();
  ChooseOptions();
  model_.SetWall(absl::ToUnixMillis(clock_.WallNow()));
}

void ModelRun::ChooseKeys() {
  const uint64_t count = 50 + Below(450);
  for (uint64_t i = 0; i < count; ++i) {
    std::string key = std::to_string(i);
    // Short ones, long ones, and such that are each other's beginning.
    if (OneIn(4)) key.append(Below(300), static_cast<char>(random_()));
    keys_.push_back(std::move(key));
  }
}

void ModelRun::ChooseOptions() {
  options_.clock = &clock_;
  options_.segment_size_bytes = kMinSegmentSizeBytes << Below(9);
  options_.segment_size_bytes += Below(options_.segment_size_bytes);
  options_.background_threads = OneIn(3);
  options_.sync_interval =
      OneIn(2) ? absl::Milliseconds(1) : absl::InfiniteDuration();
  options_.recovery_threads = 1 + static_cast<int>(Below(2));
  if (OneIn(4)) options_.file_system = &written_;
  value_size_max_ = uint64_t{8} << Below(9);
  stretch_operations_max_ = uint64_t{64} << Below(7);
  std::string place = PlaceInMemory();
  if (OneIn(32)) {
    // A disk takes milliseconds for what each new segment takes.
    place = PlaceOnDisk();
    options_.segment_size_bytes += 64 << 10;
  }
  directory_ = std::make_unique<TemporaryDirectory>(place);
}

std::string ModelRun::AnyValue() {
  if (OneIn(10)) return "";
  const uint64_t most = OneIn(3) ? value_size_max_ : 64;
  std::string value = std::to_string(++values_made_) + ":";
  value.append(noise_, Below(2048), Below(most));
  return value;
}

void ModelRun::Run(uint64_t operations) {
  uint64_t stretch = 0;
  while (operations_done_ < operations && !failed_) {
    RunStretch(++stretch, 1 + Below(stretch_operations_max_));
  }
  held_iterators_.clear();
  held_values_.clear();
}

void ModelRun::RunStretch(uint64_t number, uint64_t operations) {
  if (OneIn(3)) {
    const uint64_t seed = random_();
    if (!RunStretchAndKill(seed, operations)) {
      Check(false, "the process that was to be killed has failed");
    }
    return;
  }
  Open();
  if (failed_) return;
  ReadAll();
  Operate(operations);
  if (failed_) return;
  Close();
  model_.RememberTime();
  if (number % 3 == 0) {
    model_.SetWall(model_.wall_ms() - static_cast<int64_t>(Below(100'000)));
  }
  if (number % 5 == 0) {
    model_.SetWall(model_.wall_ms() + static_cast<int64_t>(Below(200'000)));
  }
  clock_.SetWall(absl::FromUnixMillis(model_.wall_ms()));
}

bool ModelRun::RunStretchAndKill(uint64_t seed, uint64_t operations) {
  std::fflush(stdout);
  const pid_t child = fork();
  random_.seed(seed);
  if (child != 0) {  // on the model alone
    Operate(operations);
    int ended = 0;
    waitpid(child, &ended, 0);
    return WIFEXITED(ended) && WEXITSTATUS(ended) == 0;
  }
  Open();
  if (!failed_) ReadAll();
  Operate(operations);
  std::fflush(stdout);
  // The store is left as it is, its threads too.
  _exit(failed_ ? 1 : 0);
}

void ModelRun::Open() {
  absl::StatusOr<std::unique_ptr<Store>> opened =
      Store::Open(directory_->path(), options_);
  CheckOk(opened.status(), "open");
  if (opened.ok()) store_ = *std::move(opened);
}

void ModelRun::Close() {
  CheckOk(store_->Close(), "close");
  store_ = nullptr;
}

void ModelRun::Operate(uint64_t operations) {
  for (uint64_t i = 0; i < operations && !failed_; ++i) {
    OperateOnce();
    ++operations_done_;
  }
}

void ModelRun::OperateOnce() {
  const uint64_t choice = Below(1000);
  if (choice < 400) return Put();
  if (choice < 460) return PutThatExpires();
  if (choice < 620) return Delete();
  if (choice < 650) return Write();
  if (choice < 960) return Read();
  if (choice < 965) return ReadAll();
  if (choice < 970) return HoldOrCheckIterator();
  if (choice < 980) return HoldOrCheckValue();
  if (choice < 985) return Sync();
  if (choice < 995) return PassTime();
  CheckStatistics();
}

void ModelRun::Put() {
  const std::string& key = AnyKey();
  const std::string value = AnyValue();
  const WriteOptions write = {.sync = OneIn(100)};
  model_.Put(key, value);
  if (store_ != nullptr) CheckOk(store_->Put(key, value, write), "put");
}

void ModelRun::PutThatExpires() {
  const std::string& key = AnyKey();
  const std::string value = AnyValue();
  const auto ttl_ms = static_cast<int64_t>(1 + Below(100'000));
  const int64_t expire_at_ms = model_.now_ms() + ttl_ms;
  const bool as_moment = OneIn(2);
  model_.Put(key, value, expire_at_ms);
  if (store_ == nullptr) return;
  WriteOptions write;
  if (as_moment) {
    write.expire_at = absl::FromUnixMillis(expire_at_ms);
  } else {
    write.ttl = absl::Milliseconds(ttl_ms);
  }
  CheckOk(store_->Put(key, value, write), "put that expires");
}

void ModelRun::Delete() {
  const std::string& key = AnyKey();
  const WriteOptions write = {.sync = OneIn(100)};
  const bool expected = model_.Delete(key);
  if (store_ == nullptr) return;
  const absl::StatusOr<bool> existed = store_->Delete(key, write);
  CheckOk(existed.status(), "delete");
  Check(!existed.ok() || *existed == expected, "delete's answer");
}

void ModelRun::Write() {
  WriteBatch batch;
  for (uint64_t left = Below(OneIn(10) ? 100 : 8); left > 0; --left) {
    const std::string& key = AnyKey();
    if (OneIn(4)) {
      model_.Delete(key);
      batch.Delete(key);
      continue;
    }
    const std::string value = AnyValue();
    const auto ttl_ms = static_cast<int64_t>(1 + Below(100'000));
    const bool expires = OneIn(8);
    model_.Put(key, value, expires ? model_.now_ms() + ttl_ms : Model::kNever);
    batch.Put(key, value,
              expires ? absl::Milliseconds(ttl_ms) : absl::InfiniteDuration());
  }
  if (store_ != nullptr) CheckOk(store_->Write(batch), "write");
}

void ModelRun::Read() {
  const std::string& key = AnyKey();
  const uint64_t way = Below(4);
  if (store_ == nullptr) return;
  const std::string* const expected = model_.Find(key);
  absl::StatusOr<std::string> value;
  if (way == 0) {
    const absl::StatusOr<bool> exists = store_->Exists(key);
    CheckOk(exists.status(), "exists");
    Check(exists.ok() && *exists == (expected != nullptr), "exists' answer");
    return;
  }
  if (way == 1) {
    const absl::StatusOr<PinnedValue> pinned = store_->GetPinned(key);
    value = pinned.ok() ? absl::StatusOr<std::string>(pinned->view())
                        : pinned.status();
  } else {
    value = store_->Get(key);
  }
  if (expected == nullptr) {
    Check(absl::IsNotFound(value.status()), "get of a key that is absent");
  } else {
    CheckOk(value.status(), "get");
    Check(value.ok() && *value == *expected, "get's answer");
  }
}

void ModelRun::ReadAll() {
  if (store_ == nullptr) return;
  absl::StatusOr<std::unique_ptr<Iterator>> iterator = store_->NewIterator();
  CheckOk(iterator.status(), "new iterator");
  if (!iterator.ok()) return;
  Check(Visit(iterator->get()) == model_.Live(), "what an iterator visits");
}

void ModelRun::HoldOrCheckIterator() {
  const uint64_t which = Below(2 * kMaxHeld);
  if (which < held_iterators_.size()) {
    const auto held =
        std::next(held_iterators_.begin(), static_cast<std::ptrdiff_t>(which));
    Check(Visit(held->iterator.get()) == held->contents,
          "what an iterator of an earlier instant visits");
    held_iterators_.erase(held);
  } else if (store_ != nullptr && held_iterators_.size() < kMaxHeld) {
    held_iterators_.push_back({store_->NewIterator().value(), model_.Live()});
  }
}

void ModelRun::HoldOrCheckValue() {
  const std::string& key = AnyKey();
  const uint64_t which = Below(2 * kMaxHeld);
  if (which < held_values_.size()) {
    const auto held =
        std::next(held_values_.begin(), static_cast<std::ptrdiff_t>(which));
    Check(held->pinned.view() == held->bytes, "a pinned value");
    held_values_.erase(held);
  } else if (store_ != nullptr && model_.Find(key) != nullptr) {
    held_values_.push_back({store_->GetPinned(key).value(), *model_.Find(key)});
  }
}

void ModelRun::Sync() {
  if (store_ != nullptr) CheckOk(store_->Sync(), "sync");
}

void ModelRun::PassTime() {
  const auto passed_ms = static_cast<int64_t>(Below(20'000));
  model_.SetWall(model_.wall_ms() + passed_ms);
  clock_.Advance(absl::Milliseconds(passed_ms));
}

void ModelRun::CheckStatistics() {
  if (store_ == nullptr) return;
  const Statistics statistics = store_->GetStatistics();
  Check(statistics.keys == model_.keys(), "the number of keys");
  Check(statistics.live_bytes == model_.live_bytes(), "live bytes");
  Check(!statistics.latched, "latched");
}

void ModelRun::Check(bool right, const std::string& what) {
  if (right) return;
  failed_ = true;
  ADD_FAILURE() << what << " at operation " << operations_done_;
}

void ModelRun::CheckOk(const absl::Status& status, const std::string& what) {
  if (!status.ok()) Check(false, what + ": " + status.ToString());
}

}  // namespace stave
