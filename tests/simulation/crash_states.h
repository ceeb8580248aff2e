#ifndef STAVE_TESTS_SIMULATION_CRASH_STATES_H_
#define STAVE_TESTS_SIMULATION_CRASH_STATES_H_

#include <functional>
#include <random>
#include <string>

#include "tests/simulation/history.h"
#include "tests/simulation/simulated_disk.h"

namespace stave {

// What a crash at one moment can leave behind.
struct CrashState {
  SimulatedDisk::Image image;
  History::End end;
  std::string name;  // for messages
  bool has_garbage = false;
};

// Calls `visit` with the states that a crash right now can leave `disk` in:
//  - nothing that was not synced is there, or all of it is;
//  - all is, but the last write is cut at a field, a sector or a page;
//  - one dirty page alone is lost, or is there;
//  - one file alone is there;
//  - lengths are there without data, which are zeros or garbage, and data
//    without lengths;
//  - one name that was made, changed or removed alone is lost, or is there;
//  - `random_states` random selections of sectors, as they were at random
//    moments since they were synced, of lengths and of names.
void ForEachCrashState(const SimulatedDisk& disk, int random_states,
                       std::mt19937_64* random,
                       const std::function<void(CrashState)>& visit);

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_CRASH_STATES_H_
