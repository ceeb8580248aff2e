#include <cstdint>
#include <deque>
#include <iostream>
#include <memory>
#include <random>
#include <string>
#include <string_view>
#include <thread>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "tests/engine/core/scratch_place.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/model/access_history.h"
#include "tests/model/seeds.h"
#include "tests/model/serializability.h"
#include "tests/model/workload.h"

namespace stave {
namespace {

// Half of the keys begin with "a", half with "b".
std::string KeyOf(size_t number) {
  return absl::StrCat(number % 2 == 0 ? "a" : "b", number);
}

// A thread that does transactions and now and then something else, and
// remembers those that have committed.
class Worker {
 public:
  Worker(uint64_t seed, size_t number, size_t keys)
      : random_(seed * 64 + number), number_(number), keys_(keys) {}

  void Work(Store* store, uint64_t operations, Moments* moments) {
    for (uint64_t i = 0; i < operations; ++i) {
      CommittedTransaction done;
      done.thread = number_;
      done.begin = moments->Next();
      const absl::Status status = DoAny(store, &done);
      done.end = moments->Next();
      ASSERT_TRUE(status.ok() || absl::IsAborted(status)) << status;
      status.ok() ? done_.push_back(std::move(done)) : void(++aborted_);
    }
  }

  const std::vector<CommittedTransaction>& done() const { return done_; }
  uint64_t aborted() const { return aborted_; }

 private:
  uint64_t Below(uint64_t bound) { return random_() % bound; }

  absl::Status DoAny(Store* store, CommittedTransaction* done) {
    switch (Below(16)) {
      case 0: {
        const size_t key = Below(keys_);
        done->written[key] = NewValue();
        return store->Put(KeyOf(key), absl::StrCat(done->written[key]));
      }
      case 1: {
        const size_t key = Below(keys_);
        done->written[key] = CommittedTransaction::kAbsent;
        return store->Delete(KeyOf(key)).status();
      }
      case 2:
        return store->Merge({.all = true});
      case 3:
        return store->View([&](const Transaction& transaction) {
          return Read(transaction, done);
        });
      default:
        return Transact(store, done);
    }
  }

  absl::Status Transact(Store* store, CommittedTransaction* done) {
    const std::unique_ptr<Transaction> transaction = store->Begin();
    absl::Status status = Read(*transaction, done);
    if (Below(2) == 0) std::this_thread::yield();
    for (uint64_t left = Below(3); status.ok() && left > 0; --left) {
      const size_t key = Below(keys_);
      if (Below(4) == 0) {
        done->written[key] = CommittedTransaction::kAbsent;
        status = transaction->Delete(KeyOf(key));
      } else {
        done->written[key] = NewValue();
        status = transaction->Put(KeyOf(key), absl::StrCat(done->written[key]));
      }
    }
    if (Below(2) == 0) std::this_thread::yield();
    return status.ok() ? transaction->Commit() : status;
  }

  // Some keys, or all of one letter, or all.
  absl::Status Read(const Transaction& transaction,
                    CommittedTransaction* done) {
    if (Below(3) == 0) {
      const std::string prefixes[] = {"", "a", "b"};
      return Visit(transaction, prefixes[Below(3)], done);
    }
    for (uint64_t left = Below(3); left > 0; --left) {
      const size_t key = Below(keys_);
      const absl::StatusOr<std::string> value = transaction.Get(KeyOf(key));
      if (!value.ok() && !absl::IsNotFound(value.status())) {
        return value.status();
      }
      done->found[key] =
          value.ok() ? NumberOf(*value) : CommittedTransaction::kAbsent;
    }
    return absl::OkStatus();
  }

  absl::Status Visit(const Transaction& transaction, const std::string& prefix,
                     CommittedTransaction* done) {
    const auto iterator = transaction.NewIterator({.prefix = prefix});
    if (!iterator.ok()) return iterator.status();
    Iterator& keys = **iterator;
    for (size_t key = 0; key < keys_; ++key) {
      if (KeyOf(key).starts_with(prefix)) {
        done->found[key] = CommittedTransaction::kAbsent;
      }
    }
    for (keys.SeekToFirst(); keys.Valid(); keys.Next()) {
      done->found.at(NumberOf(keys.key().substr(1))) = NumberOf(keys.value());
    }
    return keys.status();
  }

  uint32_t NewValue() {
    return static_cast<uint32_t>(++values_made_ * 32 + number_);
  }
  static uint32_t NumberOf(std::string_view text) {
    return static_cast<uint32_t>(std::stoul(std::string(text)));
  }

  std::mt19937_64 random_;
  const size_t number_;
  const size_t keys_;
  uint64_t values_made_ = 0;
  std::vector<CommittedTransaction> done_;
  uint64_t aborted_ = 0;
};

// Two to five threads do transactions on the same few keys at the same time,
// among puts, deletes and merges. Afterwards there must be an order in which
// all that committed could have been done one after another.
TEST(TransactionHistoryTest, SomeOrderExplainsEveryTransaction) {
  const uint64_t seeds = FromEnvironment("STAVE_SEEDS", 60);
  const uint64_t operations = FromEnvironment("STAVE_OPERATIONS", 2000);
  uint64_t committed = 0, aborted = 0;
  for (uint64_t seed = 1; seed <= seeds; ++seed) {
    if (IsLeftOut(seed)) continue;
    std::mt19937_64 random(seed);
    const TemporaryDirectory directory(PlaceInMemory());
    Options options = AnyOptions(seed);
    options.background_threads = random() % 4 == 0;
    const size_t keys = 2 + random() % 5;
    std::deque<Worker> workers;
    const size_t count = 2 + random() % 4;
    for (size_t i = 0; i < count; ++i) workers.emplace_back(seed, i, keys);
    auto store = Store::Open(directory.path() + "/store", options);
    ASSERT_TRUE(store.ok()) << store.status();
    Moments moments;
    std::vector<std::thread> threads;
    for (Worker& worker : workers) {
      threads.emplace_back(
          [&] { worker.Work(store->get(), operations / count, &moments); });
    }
    for (std::thread& thread : threads) thread.join();
    std::vector<CommittedTransaction> all;
    for (const Worker& worker : workers) {
      all.insert(all.end(), worker.done().begin(), worker.done().end());
      aborted += worker.aborted();
    }
    committed += all.size();
    ASSERT_EQ(CheckSerializable(keys, all), "")
        << HowToReplay("//tests/model:transaction_history_test", seed);
    ASSERT_FALSE(HasFailure())
        << HowToReplay("//tests/model:transaction_history_test", seed);
    EXPECT_EQ((*store)->GetStatistics().snapshots, 0u);
  }
  std::cout << seeds << " histories of " << committed << " transactions; "
            << aborted << " more were aborted\n";
}

}  // namespace
}  // namespace stave
