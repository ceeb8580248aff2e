#ifndef STAVE_BENCHMARKS_PEERS_PROCESS_USAGE_H_
#define STAVE_BENCHMARKS_PEERS_PROCESS_USAGE_H_

#include <cstdint>
#include <string>

namespace stave::bench {

// What the present process takes, as Linux tells it.
struct ProcessUsage {
  uint64_t anonymous_bytes = 0;  // memory of its own
  uint64_t mapped_bytes = 0;     // pages of files that it has mapped
  uint64_t written_bytes = 0;    // sent to the device, or bound to be
};

ProcessUsage ReadProcessUsage();

// The space that the files in a directory take, holes left out.
uint64_t DiskBytes(const std::string& directory);

}  // namespace stave::bench

#endif  // STAVE_BENCHMARKS_PEERS_PROCESS_USAGE_H_
