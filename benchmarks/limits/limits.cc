#include "benchmarks/limits/limits.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <cstring>

#include "absl/functional/function_ref.h"
#include "absl/status/status.h"
#include "absl/strings/str_format.h"
#include "benchmarks/workload/random_choice.h"
#include "engine/base/checksum.h"

namespace stave::bench {
namespace {

using Clock = std::chrono::steady_clock;

constexpr size_t kLineBytes = 64;
constexpr size_t kArrayBytes = size_t{1} << 30;
constexpr size_t kArrayLines = kArrayBytes / kLineBytes;
constexpr int kArrayReads = 1'000'000;
constexpr size_t kFileBytes = size_t{256} << 20;
constexpr size_t kBlockBytes = size_t{1} << 20;

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

double GigabytesPerSecond(size_t bytes, Clock::time_point start) {
  return static_cast<double>(bytes) / SecondsSince(start) / 1e9;
}

// So that the compiler has to make it.
void Keep(uint64_t value) { asm volatile("" : : "r"(value) : "memory"); }

absl::Status SystemError(const char* call) {
  return absl::InternalError(absl::StrFormat("%s: %s", call, strerror(errno)));
}

// ---- The processor ----

double Checksum(size_t size) {
  const std::string bytes(size + kLineBytes, 'x');
  return NanosecondsOf(100'000, [&](int i) {
    Keep(Crc32c({bytes.data() + static_cast<size_t>(i) % kLineBytes, size}));
  });
}

double Copy(size_t size) {
  const std::string bytes(size, 'x');
  std::string copy(size + kLineBytes, '\0');
  return NanosecondsOf(100'000, [&](int i) {
    std::memcpy(copy.data() + static_cast<size_t>(i) % kLineBytes, bytes.data(),
                size);
    Keep(reinterpret_cast<uintptr_t>(copy.data()));
  });
}

// ---- Memory ----

enum class Pages { kSmall, kHuge };

// An array that no cache holds.
class Array {
 public:
  explicit Array(Pages pages)
      : bytes_(mmap(nullptr, kArrayBytes, PROT_READ | PROT_WRITE,
                    MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)) {
    if (!exists()) return;
    madvise(bytes_, kArrayBytes,
            pages == Pages::kHuge ? MADV_HUGEPAGE : MADV_NOHUGEPAGE);
    std::memset(bytes_, 0, kArrayBytes);
  }
  ~Array() {
    if (exists()) munmap(bytes_, kArrayBytes);
  }
  Array(const Array&) = delete;
  Array& operator=(const Array&) = delete;

  bool exists() const { return bytes_ != MAP_FAILED; }
  // The first word of a line.
  uint64_t& operator[](uint64_t line) {
    return *reinterpret_cast<uint64_t*>(static_cast<char*>(bytes_) +
                                        line * kLineBytes);
  }

 private:
  void* const bytes_;
};

// Each line names the next one: a walk through some of them, in random order.
absl::StatusOr<double> DependentReads(Pages pages) {
  Array array(pages);
  if (!array.exists()) return SystemError("mmap");
  const Shuffle order(kArrayLines, /*seed=*/1);
  for (int i = 0; i < kArrayReads; ++i) {
    array[order(static_cast<uint64_t>(i))] =
        order(static_cast<uint64_t>(i + 1));
  }
  uint64_t line = order(0);
  const double each =
      NanosecondsOf(kArrayReads, [&](int) { line = array[line]; });
  Keep(line);
  return each;
}

absl::StatusOr<double> IndependentReads(Pages pages) {
  Array array(pages);
  if (!array.exists()) return SystemError("mmap");
  uint64_t sum = 0;
  uint64_t state = 88172645463325252u;
  const double each = NanosecondsOf(kArrayReads, [&](int) {
    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    sum += array[state % kArrayLines];
  });
  Keep(sum);
  return each;
}

// ---- Files ----

double MedianOf(std::vector<double> values) {
  std::nth_element(values.begin(), values.begin() + values.size() / 2,
                   values.end());
  return values[values.size() / 2];
}

// Small records that are on the device one by one.
absl::StatusOr<double> AppendAndSync(int file) {
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
  return MedianOf(times);
}

absl::Status WriteAll(int file) {
  const std::string block(kBlockBytes, 'x');
  for (size_t written = 0; written < kFileBytes; written += block.size()) {
    if (write(file, block.data(), block.size()) !=
        static_cast<ssize_t>(block.size())) {
      return SystemError("write");
    }
  }
  return absl::OkStatus();
}

absl::StatusOr<double> WriteInOrder(int file) {
  const Clock::time_point start = Clock::now();
  absl::Status status = WriteAll(file);
  if (!status.ok()) return status;
  if (fdatasync(file) != 0) return SystemError("fdatasync");
  return GigabytesPerSecond(kFileBytes, start);
}

absl::StatusOr<double> ReadInOrder(int file) {
  absl::Status status = WriteAll(file);
  if (!status.ok()) return status;
  std::string block(kBlockBytes, '\0');
  const Clock::time_point start = Clock::now();
  for (size_t done = 0; done < kFileBytes; done += block.size()) {
    if (pread(file, block.data(), block.size(), static_cast<off_t>(done)) !=
        static_cast<ssize_t>(block.size())) {
      return SystemError("pread");
    }
  }
  return GigabytesPerSecond(kFileBytes, start);
}

absl::StatusOr<double> WithFile(
    const std::string& directory,
    absl::FunctionRef<absl::StatusOr<double>(int)> measure) {
  const std::string path = directory + "/limits";
  const int file =
      open(path.c_str(), O_CREAT | O_TRUNC | O_RDWR | O_CLOEXEC, 0600);
  if (file < 0) return SystemError("open");
  absl::StatusOr<double> value = measure(file);
  close(file);
  unlink(path.c_str());
  return value;
}

}  // namespace

std::vector<Limit> ProcessorLimits() {
  return {
      {"CRC-32C of 128 B", "ns", [] { return Checksum(128); }},
      {"CRC-32C of 1 KiB", "ns", [] { return Checksum(1024); }},
      {"CRC-32C of 64 KiB", "ns", [] { return Checksum(65536); }},
      {"memcpy of 128 B, cached", "ns", [] { return Copy(128); }},
      {"memcpy of 1 KiB, cached", "ns", [] { return Copy(1024); }},
      {"memcpy of 64 KiB, cached", "ns", [] { return Copy(65536); }},
  };
}

std::vector<Limit> MemoryLimits() {
  return {
      {"random 64 B of 1 GiB, dependent, 4 KiB pages", "ns",
       [] { return DependentReads(Pages::kSmall); }},
      {"random 64 B of 1 GiB, independent, 4 KiB pages", "ns",
       [] { return IndependentReads(Pages::kSmall); }},
      {"random 64 B of 1 GiB, dependent, huge pages asked for", "ns",
       [] { return DependentReads(Pages::kHuge); }},
      {"random 64 B of 1 GiB, independent, huge pages asked for", "ns",
       [] { return IndependentReads(Pages::kHuge); }},
  };
}

std::vector<Limit> FileLimits(const std::string& directory) {
  return {
      {"append 128 B and fdatasync, median", "us",
       [directory] { return WithFile(directory, AppendAndSync); }},
      {"write 256 MiB in order and fdatasync", "GB/s",
       [directory] { return WithFile(directory, WriteInOrder); }},
      {"read 256 MiB in order, from the page cache", "GB/s",
       [directory] { return WithFile(directory, ReadInOrder); }},
  };
}

}  // namespace stave::bench
