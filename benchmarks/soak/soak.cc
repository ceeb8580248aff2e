// Overwrites a store's keys for as long as it is told, and prints a line of
// JSON a second: what the store takes, what it writes, how long puts take. The
// last line sums up. Exits with 1 if the space bound was broken in any sample.
//
//   soak --directory DIR --keys 10000000 --minutes 30 > soak.jsonl
//
// With --ttl-seconds it leaves these keys alone and puts others beside them,
// each once, that expire after so long.
#include <algorithm>
#include <atomic>
#include <chrono>
#include <cmath>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <iostream>
#include <memory>
#include <mutex>
#include <random>
#include <string>
#include <thread>
#include <utility>

#include "CLI/CLI.hpp"
#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_format.h"
#include "absl/time/time.h"
#include "benchmarks/workload/random_choice.h"
#include "benchmarks/workload/records.h"
#include "benchmarks/workload/ticks.h"
#include "nlohmann/json.hpp"
#include "stave/latency_histogram.h"
#include "stave/statistics.h"
#include "stave/store.h"

namespace stave::bench {
namespace {

using SteadyClock = std::chrono::steady_clock;
using Json = nlohmann::ordered_json;

struct Plan {
  std::string directory;
  uint64_t keys = 1'000'000;
  uint64_t value_bytes = 100;
  double minutes = 30;
  double calm_seconds = 20;
  bool zipf = false;
  double ttl_seconds = 0;  // 0: overwrites
};

[[noreturn]] void Die(const absl::Status& status) {
  absl::FPrintF(stderr, "soak: %s\n", status.ToString());
  std::exit(5);
}
void Check(const absl::Status& status) {
  if (!status.ok()) Die(status);
}

// What one put took, in all so far and since the last sample.
class Latencies {
 public:
  void Add(uint64_t ticks) {
    const std::lock_guard hold(mutex_);
    recent_.Add(ticks);
  }
  LatencyHistogram TakeRecent() {
    const std::lock_guard hold(mutex_);
    return std::exchange(recent_, LatencyHistogram());
  }

 private:
  std::mutex mutex_;
  LatencyHistogram recent_;
};

Json Describe(const LatencyHistogram& latencies) {
  const auto in_us = [](uint64_t ticks) {
    return std::round(static_cast<double>(ticks) * NanosecondsPerTick() / 10) /
           100;
  };
  return {{"p50", in_us(latencies.Quantile(0.5))},
          {"p99", in_us(latencies.Quantile(0.99))},
          {"p999", in_us(latencies.Quantile(0.999))},
          {"max", in_us(latencies.max())}};
}

// The bound that stave/options.h promises.
uint64_t BoundOf(const Statistics& statistics, const Options& options,
                 uint64_t record_bytes) {
  const uint64_t segment = std::clamp<uint64_t>(
      statistics.live_bytes / 8, uint64_t{1} << 20, options.segment_size_bytes);
  return static_cast<uint64_t>(options.max_space_amplification *
                               static_cast<double>(statistics.live_bytes)) +
         2 * std::max(segment, record_bytes);
}

class Soak {
 public:
  explicit Soak(const Plan& plan)
      : plan_(plan), values_(plan.value_bytes), zipf_(plan.keys) {
    absl::StatusOr<std::unique_ptr<Store>> store =
        Store::Open(plan.directory, options_);
    if (!store.ok()) Die(store.status());
    store_ = *std::move(store);
  }

  bool Run() {
    for (uint64_t i = 0; i < plan_.keys; ++i) Put(i);
    latencies_.TakeRecent();
    // Without merges first, to compare.
    store_->PauseMerge();
    const LatencyHistogram calm = OverwriteFor(plan_.calm_seconds, nullptr);
    store_->ResumeMerge();
    Settle();
    begin_ = store_->GetStatistics();
    LatencyHistogram merging;
    merging = OverwriteFor(60 * plan_.minutes, &merging);
    const Statistics end = store_->GetStatistics();
    const double p999_ratio =
        static_cast<double>(merging.Quantile(0.999)) /
        static_cast<double>(std::max<uint64_t>(calm.Quantile(0.999), 1));
    std::cout << Json{{"kind", "summary"},
                      {"puts", merging.count()},
                      {"samples", samples_},
                      {"samples_over_bound", over_bound_},
                      {"largest_amplification", largest_amplification_},
                      {"largest_share_of_bound", largest_share_},
                      {"most_expired_keys", most_expired_},
                      {"write_amplification", WriteAmplification(end)},
                      {"merges", end.merges - begin_.merges},
                      {"checkpoints", end.checkpoints - begin_.checkpoints},
                      {"us_without_merges", Describe(calm)},
                      {"us_with_merges", Describe(merging)},
                      {"p999_ratio", p999_ratio}}
                     .dump()
              << std::endl;
    Check(store_->Close());
    return over_bound_ == 0;
  }

 private:
  bool expires() const { return plan_.ttl_seconds > 0; }
  uint64_t RecordBytes() const {
    return 24 + (expires() ? 8 : 0) + Key::kBytes + plan_.value_bytes;
  }

  void Put(uint64_t index, const WriteOptions& options = {}) {
    const Key key(index);
    values_.Make(index, ++version_, &value_);
    const uint64_t begin = NowTicks();
    const absl::Status status = store_->Put(key.view(), value_, options);
    latencies_.Add(NowTicks() - begin);
    Check(status);
  }
  void PutOne() {
    if (!expires()) return Put(Choose());
    Put(plan_.keys + expiring_, {.ttl = absl::Seconds(plan_.ttl_seconds)});
    ++expiring_;
  }
  uint64_t Choose() {
    return plan_.zipf ? zipf_(random_)
                      : std::uniform_int_distribution<uint64_t>(
                            0, plan_.keys - 1)(random_);
  }

  // After a pause, merges have to catch up first: the bound does not hold
  // meanwhile, and writers wait.
  void Settle() {
    Check(store_->Merge());
    latencies_.TakeRecent();
  }

  // Samples go to standard output if there is a `total`.
  LatencyHistogram OverwriteFor(double seconds, LatencyHistogram* total) {
    LatencyHistogram all;
    std::atomic<bool> done{false};
    std::thread sampler([&] {
      const SteadyClock::time_point start = SteadyClock::now();
      LatencyHistogram recent;
      for (int tenth = 1; !done.load(); ++tenth) {
        std::this_thread::sleep_until(start +
                                      tenth * std::chrono::milliseconds(100));
        const Statistics now = WithoutExpired(store_->GetStatistics());
        if (total != nullptr) Judge(now);
        recent.Add(latencies_.TakeRecent());
        if (tenth % 10 != 0) continue;
        if (total != nullptr) Print(tenth / 10, now, recent);
        all.Add(recent);
        recent = LatencyHistogram();
      }
      recent.Add(latencies_.TakeRecent());
      all.Add(recent);
    });
    const SteadyClock::time_point end =
        SteadyClock::now() +
        std::chrono::milliseconds(static_cast<int64_t>(1000 * seconds));
    while (SteadyClock::now() < end) {
      for (int i = 0; i < 256; ++i) PutOne();
    }
    done = true;
    sampler.join();
    return all;
  }

  // The statistics count a key as live until its record is known to have
  // expired; the bound is held against what has not.
  Statistics WithoutExpired(Statistics now) {
    if (!expires()) return now;
    const SteadyClock::time_point time = SteadyClock::now();
    puts_at_.push_back({time, now.puts});
    const auto ttl = std::chrono::duration<double>(plan_.ttl_seconds);
    while (puts_at_.size() > 1 && time - puts_at_[1].time >= ttl) {
      puts_at_.pop_front();
    }
    const uint64_t young = now.puts - puts_at_.front().puts;
    const uint64_t expired = now.keys - std::min(now.keys, plan_.keys + young);
    most_expired_ = std::max(most_expired_, expired);
    now.live_bytes -= expired * RecordBytes();
    return now;
  }

  void Judge(const Statistics& now) {
    const uint64_t taken = now.segment_bytes - now.pinned_bytes;
    const uint64_t bound = BoundOf(now, options_, RecordBytes());
    ++samples_;
    over_bound_ += taken > bound;
    largest_amplification_ = std::max(
        largest_amplification_,
        static_cast<double>(taken) / static_cast<double>(now.live_bytes));
    largest_share_ = std::max(largest_share_, static_cast<double>(taken) /
                                                  static_cast<double>(bound));
  }

  // Of log, merges' outputs and their hints; checkpoints apart.
  double WriteAmplification(const Statistics& now) const {
    const uint64_t user =
        (now.puts - begin_.puts) * (Key::kBytes + plan_.value_bytes);
    const uint64_t appended = now.bytes_appended - begin_.bytes_appended;
    const uint64_t merged =
        now.merge_bytes_written - begin_.merge_bytes_written;
    // A hint entry takes 16 bytes a record.
    const double hints = 16.0 * static_cast<double>(appended + merged) /
                         static_cast<double>(RecordBytes());
    return user == 0 ? 0
                     : (static_cast<double>(appended + merged) + hints) /
                           static_cast<double>(user);
  }

  void Print(int second, const Statistics& now,
             const LatencyHistogram& recent) const {
    std::cout << Json{{"kind", "sample"},
                      {"second", second},
                      {"puts", recent.count()},
                      {"keys", now.keys},
                      {"live_bytes", now.live_bytes},
                      {"segment_bytes", now.segment_bytes - now.pinned_bytes},
                      {"bound_bytes", BoundOf(now, options_, RecordBytes())},
                      {"disk_bytes", now.disk_bytes},
                      {"write_amplification", WriteAmplification(now)},
                      {"us", Describe(recent)}}
                     .dump()
              << std::endl;
  }

  const Plan plan_;
  const Options options_;
  const Values values_;
  const Zipf zipf_;
  Random random_{1};
  uint32_t version_ = 0;
  uint64_t expiring_ = 0;
  std::string value_;
  std::unique_ptr<Store> store_;
  Latencies latencies_;
  Statistics begin_;
  struct PutsAt {
    SteadyClock::time_point time;
    uint64_t puts;
  };
  std::deque<PutsAt> puts_at_;  // of the last ttl_seconds
  uint64_t most_expired_ = 0;
  uint64_t samples_ = 0;
  uint64_t over_bound_ = 0;
  double largest_amplification_ = 0;
  double largest_share_ = 0;
};

}  // namespace
}  // namespace stave::bench

int main(int argc, char** argv) {
  stave::bench::Plan plan;
  CLI::App app("Overwrites the keys of a new store, and samples it.");
  app.add_option("--directory", plan.directory, "for the store; made, and kept")
      ->required();
  app.add_option("--keys", plan.keys)->check(CLI::PositiveNumber);
  app.add_option("--value-bytes", plan.value_bytes);
  app.add_option("--minutes", plan.minutes);
  app.add_option("--calm-seconds", plan.calm_seconds,
                 "of overwriting without merges, to compare");
  app.add_flag("--zipf", plan.zipf, "some keys much more often than others");
  app.add_option("--ttl-seconds", plan.ttl_seconds,
                 "put new keys that expire, instead of overwriting");
  CLI11_PARSE(app, argc, argv);
  return stave::bench::Soak(plan).Run() ? 0 : 1;
}
