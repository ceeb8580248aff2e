#ifndef STAVE_TOOLS_STAVE_ADVICE_H_
#define STAVE_TOOLS_STAVE_ADVICE_H_

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "stave/statistics.h"

namespace stave::tool {

// What a store lives in. Absent: the system did not say.
struct Surroundings {
  struct Space {
    uint64_t bytes = 0;            // of the file system
    uint64_t available_bytes = 0;  // for those who are not root
  };
  std::optional<Space> space;
  std::optional<uint64_t> file_system_type;   // statfs(2)'s f_type
  std::optional<uint64_t> descriptor_limit;   // that processes begin with
  std::optional<uint64_t> mapping_limit;      // vm.max_map_count
  std::optional<std::string> huge_page_mode;  // always, madvise or never
};

// Asks the system; the limit on descriptors is this process's own.
Surroundings LookAround(const std::string& store_directory);

// What somebody who runs the store should know or change, a sentence or two
// each, the most urgent first; mostly nothing.
std::vector<std::string> AdviceFor(const Surroundings& surroundings,
                                   const Statistics& statistics);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_ADVICE_H_
