#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/str_split.h"
#include "tests/fuzz/fuzz_target.h"
#include "tools/stave/arguments.h"
#include "tools/stave/command_line.h"
#include "tools/stave/output.h"

// A command line, an argument a line.

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  using namespace stave::tool;
  const std::vector<std::string> arguments = absl::StrSplit(
      absl::string_view(reinterpret_cast<const char*>(data), size), '\n');
  // Commands with every kind of parameter that there is, which do nothing.
  CommandLine command_line;
  std::string key;
  std::optional<std::string> value, ttl;
  std::vector<std::string> keys;
  bool sync = false;
  int runs = 0;
  const auto run = [&runs](Session&) {
    ++runs;
    return absl::OkStatus();
  };
  command_line.Add({"put", "Stores.", "", true, run})
      .Required("KEY", "a key", &key)
      .Optional("VALUE", "a value", &value)
      .Option("--ttl", "DURATION", "how long", &ttl)
      .Flag("--sync", "waits", &sync);
  command_line.Add({"get", "Reads.", "", false, run})
      .List("KEY", "keys", &keys);
  Output out(-1, "nowhere");
  const absl::Status status = command_line.Run(arguments, &out);
  FUZZ_CHECK(runs == 0 || status.ok());
  FUZZ_CHECK(status.ok() || !status.message().empty());
  // Whatever follows "--" comes as it was typed.
  std::vector<std::string> plain = {"get", "--"};
  plain.insert(plain.end(), arguments.begin(), arguments.end());
  keys.clear();
  FUZZ_CHECK(command_line.Run(plain, &out).ok());
  FUZZ_CHECK(keys == arguments);
  return 0;
}

std::vector<std::string> stave::FuzzSeeds() {
  return {"put\nkey\nvalue\n--ttl\n10m\n--sync",
          "--store\n/tmp/a\nget\na\nb\nc",
          "--json\n--read-only\nput\n[a,b]\n{}",
          "help\nput",
          "--help",
          "get\n--\n-k\n--",
          "put\n--ttl=4s\n++\n%%",
          "gte\na",
          "--version",
          "get\n\n\x01x"};
}
