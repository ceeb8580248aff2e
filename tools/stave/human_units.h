#ifndef STAVE_TOOLS_STAVE_HUMAN_UNITS_H_
#define STAVE_TOOLS_STAVE_HUMAN_UNITS_H_

#include <cstdint>
#include <string>

namespace stave::tool {

// Numbers for people: 1234567 as "1,234,567".
std::string HumanCount(uint64_t count);

// Bytes for people: "512 B", "1.2 KiB", "3.4 GiB".
std::string HumanBytes(double bytes);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_HUMAN_UNITS_H_
