#include "benchmarks/peers/limits.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstdint>
#include <cstring>
#include <numeric>

#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "benchmarks/workload/random_choice.h"
#include "engine/base/checksum.h"

namespace stave::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLineBytes = 64;
constexpr size_t kArrayBytes = size_t{1} << 30;
constexpr size_t kFileBytes = size_t{256} << 20;

double SecondsSince(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

// Nanoseconds that a call takes, of many.
template <typename Call>
double NanosecondsOf(int calls, Call call) {
  const Clock::time_point start = Clock::now();
  for (int i = 0; i < calls; ++i) call(i);
  return SecondsSince(start) * 1e9 / calls;
}

// So that the compiler has to make it.
void Keep(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

absl::Status SystemError(const char* call) {
  return absl::InternalError(absl::StrFormat("%s: %s", call, strerror(errno)));
}

void AddProcessorLimits(std::vector<Limit>* limits) {
  const std::string bytes(size_t{1} << 20, 'x');
  std::string copy(bytes.size(), '\0');
  const auto checksum = [&](size_t size) {
    return NanosecondsOf(100'000, [&](int i) {
      Keep(Crc32c({bytes.data() + i % 64, size}));
    });
  };
  const auto copying = [&](size_t size) {
    return NanosecondsOf(100'000, [&](int i) {
      std::memcpy(copy.data() + i % 64, bytes.data(), size);
      Keep(reinterpret_cast<uintptr_t>(copy.data()));
    });
  };
  limits->push_back({"CRC-32C of 128 B", checksum(128), "ns"});
  limits->push_back({"CRC-32C of 1 KiB", checksum(1024), "ns"});
  limits->push_back({"CRC-32C of 64 KiB", checksum(65536), "ns"});
  limits->push_back({"memcpy of 128 B, cached", copying(128), "ns"});
  limits->push_back({"memcpy of 1 KiB, cached", copying(1024), "ns"});
  limits->push_back({"memcpy of 64 KiB, cached", copying(65536), "ns"});
}

// Reads of random cache lines of an array that no cache holds.
absl::Status AddMemoryLimits(bool huge_pages, std::vector<Limit>* limits) {
  void* const array = mmap(nullptr, kArrayBytes, PROT_READ | PROT_WRITE,
                           MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (array == MAP_FAILED) return SystemError("mmap");
  madvise(array, kArrayBytes, huge_pages ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
  const size_t lines = kArrayBytes / kLineBytes;
  const auto word_of = [array](uint64_t line) {
    return reinterpret_cast<uint64_t*>(static_cast<char*>(array) +
                                       line * kLineBytes);
  };
  // Each line names the next one: a walk through some of them, in random order.
  constexpr int kReads = 1'000'000;
  const Shuffle order(lines, /*seed=*/1);
  std::memset(array, 0, kArrayBytes);
  for (int i = 0; i < kReads; ++i) {
    *word_of(order(static_cast<uint64_t>(i))) =
        order(static_cast<uint64_t>(i + 1));
  }
  uint64_t line = order(0);
  const double dependent =
      NanosecondsOf(kReads, [&](int) { line = *word_of(line); });
  uint64_t sum = line;
  uint64_t state = 88172645463325252u;
  const double independent = NanosecondsOf(kReads, [&](int) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    sum += *word_of(state % lines);
  });
  Keep(sum);
  munmap(array, kArrayBytes);
  limits->push_back(
      {huge_pages ? "random 64 B of 1 GiB, dependent, huge pages asked for"
                  : "random 64 B of 1 GiB, dependent, 4 KiB pages",
       dependent, "ns"});
  limits->push_back(
      {huge_pages ? "random 64 B of 1 GiB, independent, huge pages asked for"
                  : "random 64 B of 1 GiB, independent, 4 KiB pages",
       independent, "ns"});
  return absl::OkStatus();
}

double MedianOf(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

// Small records that are on the device one by one, and a long file.
absl::Status AddFileLimits(int file, std::vector<Limit>* limits) {
  const std::string record(128, 'x');
  std::vector<double> times;
  for (int i = 0; i < 1000; ++i) {
    const Clock::time_point start = Clock::now();
    if (write(file, record.data(), record.size()) != 128) {
      return SystemError("write");
    }
    if (fdatasync(file) != 0) return SystemError("fdatasync");
    times.push_back(SecondsSince(start) * 1e6);
  }
  limits->push_back(
      {"append 128 B and fdatasync, median", MedianOf(times), "us"});

  const std::string block(size_t{1} << 20, 'x');
  const Clock::time_point start = Clock::now();
  for (size_t written = 0; written < kFileBytes; written += block.size()) {
    if (write(file, block.data(), block.size()) < 0) {
      return SystemError("write");
    }
  }
  if (fdatasync(file) != 0) return SystemError("fdatasync");
  limits->push_back({"write 256 MiB in order and fdatasync",
                     kFileBytes / SecondsSince(start) / 1e9, "GB/s"});
  return absl::OkStatus();
}

}  // namespace

absl::StatusOr<std::vector<Limit>> MeasureLimits(const std::string& directory) {
  std::vector<Limit> limits;
  AddProcessorLimits(&limits);
  absl::Status status = AddMemoryLimits(/*huge_pages=*/false, &limits);
  status.Update(AddMemoryLimits(/*huge_pages=*/true, &limits));
  if (!status.ok()) return status;
  const std::string path = directory + "/limits";
  const int file = open(path.c_str(), O_CREAT | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("open");
  status = AddFileLimits(file, &limits);
  close(file);
  unlink(path.c_str());
  if (!status.ok()) return status;
  return limits;
}

}  // namespace stave::bench
