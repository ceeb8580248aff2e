#ifndef STAVE_TOOLS_STAVE_HUMAN_UNITS_H_
#define STAVE_TOOLS_STAVE_HUMAN_UNITS_H_

#include <cstdint>
#include <string>

namespace stave::tool {

// Numbers for people: 1234567 as "1,234,567".
std::string HumanCount(uint64_t count);

// Bytes for people: "512 B", "1.2 KiB", "3.4 GiB".
std::string HumanBytes(double bytes);

// Durations for people: "870 ns", "1.2 us", "35.0 ms", "12.5 s".
std::string HumanNanoseconds(uint64_t ns);

}  // namespace stave::tool

#endif  // STAVE_TOOLS_STAVE_HUMAN_UNITS_H_
