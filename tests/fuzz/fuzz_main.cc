// Runs a fuzz target where there is no libFuzzer:
//
//   TARGET              the seeds, then STAVE_FUZZ_RUNS mutations of them, from
//                       number STAVE_SEED on
//   TARGET FILE...      these inputs, as libFuzzer does
//   TARGET --seeds DIR  writes the seeds there, for libFuzzer to begin with
//
// What ends the process is preceded by the number of its mutation, and leaves
// its input in a file.

#include <csignal>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <string>
#include <vector>

#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/mutation.h"
#include "tests/model/seeds.h"

// Where a sanitizer is linked, it calls back before it ends the process.
extern "C" __attribute__((weak)) void __sanitizer_set_death_callback(
    void (*callback)());

namespace stave {
namespace {

constexpr uint64_t kRuns = 200'000;

std::string input;
uint64_t number = 0;  // of the mutation; 0 for a seed

// The process is lost already, so this may do what signal handlers must not.
void TellOfInput() {
  const char* const directory = std::getenv("TEST_UNDECLARED_OUTPUTS_DIR");
  const std::string path =
      std::string(directory == nullptr ? "." : directory) + "/crash-input";
  std::ofstream(path, std::ios::binary) << input;
  const char* const target = std::getenv("TEST_TARGET");
  std::fprintf(stderr,
               "mutation %llu of the seeds (0: a seed) is in %s; to replay: "
               "bazel test %s --test_env=STAVE_FUZZ_RUNS=1 "
               "--test_env=STAVE_SEED=%llu\n",
               static_cast<unsigned long long>(number), path.c_str(),
               target == nullptr ? "the target" : target,
               static_cast<unsigned long long>(number));
}

void OnSignal(int signal) {
  std::signal(signal, SIG_DFL);
  TellOfInput();
  std::raise(signal);
}

void Run(std::string bytes) {
  input = std::move(bytes);
  LLVMFuzzerTestOneInput(reinterpret_cast<const uint8_t*>(input.data()),
                         input.size());
}

void RunFile(const char* path) {
  std::ifstream file(path, std::ios::binary);
  Run(std::string(std::istreambuf_iterator<char>(file), {}));
}

void WriteSeeds(const std::string& directory) {
  int written = 0;
  for (const std::string& seed : FuzzSeeds()) {
    std::ofstream(directory + "/seed-" + std::to_string(written++),
                  std::ios::binary)
        << seed;
  }
}

void RunAll() {
  const std::vector<std::string> seeds = FuzzSeeds();
  for (const std::string& seed : seeds) Run(seed);
  const uint64_t first = FromEnvironment("STAVE_SEED", 1);
  const uint64_t runs = FromEnvironment("STAVE_FUZZ_RUNS", kRuns);
  for (number = first; number < first + runs; ++number) {
    Run(Mutated(seeds, number));
  }
  std::printf("%zu seeds, %llu mutations\n", seeds.size(),
              static_cast<unsigned long long>(runs));
}

}  // namespace
}  // namespace stave

int main(int argc, char** argv) {
  if (__sanitizer_set_death_callback != nullptr) {
    __sanitizer_set_death_callback(stave::TellOfInput);
  }
  for (const int signal : {SIGABRT, SIGSEGV, SIGBUS, SIGFPE, SIGILL}) {
    std::signal(signal, stave::OnSignal);
  }
  if (argc == 3 && std::string(argv[1]) == "--seeds") {
    stave::WriteSeeds(argv[2]);
    return 0;
  }
  if (argc == 1) stave::RunAll();
  for (int i = 1; i < argc; ++i) stave::RunFile(argv[i]);
  return 0;
}
