#include "benchmarks/peers/process_usage.h"

#include <sys/stat.h>

#include <filesystem>
#include <fstream>
#include <string_view>
#include <system_error>

namespace stave::bench {
namespace {

// The number behind `name` in lines like "Rss:   1234 kB".
uint64_t NumberIn(const char* path, std::string_view name) {
  std::ifstream file(path);
  for (std::string line; std::getline(file, line);) {
    if (!line.starts_with(name)) continue;
    return std::stoull(line.substr(name.size()));
  }
  return 0;
}

}  // namespace

ProcessUsage ReadProcessUsage() {
  constexpr char kMemory[] = "/proc/self/smaps_rollup";
  const uint64_t resident = NumberIn(kMemory, "Rss:") * 1024;
  ProcessUsage usage;
  usage.anonymous_bytes = NumberIn(kMemory, "Anonymous:") * 1024;
  usage.mapped_bytes = resident - usage.anonymous_bytes;
  usage.written_bytes = NumberIn("/proc/self/io", "write_bytes:");
  return usage;
}

uint64_t DiskBytes(const std::string& directory) {
  uint64_t bytes = 0;
  std::error_code error;  // files come and go meanwhile
  for (std::filesystem::recursive_directory_iterator entry(directory, error),
       end;
       !error && entry != end; entry.increment(error)) {
    struct stat status;
    if (stat(entry->path().c_str(), &status) == 0 && S_ISREG(status.st_mode)) {
      bytes += static_cast<uint64_t>(status.st_blocks) * 512;
    }
  }
  return bytes;
}

}  // namespace stave::bench
