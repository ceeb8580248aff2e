#include "tools/stave/shell_completion.h"

#include <cstddef>
#include <cstdint>
#include <memory>

#include "absl/status/statusor.h"
#include "absl/strings/ascii.h"
#include "absl/time/time.h"
#include "engine/base/clock.h"
#include "tools/stave/escape.h"
#include "tools/stave/shell_interpreter.h"
#include "tools/stave/shell_parser.h"

namespace stave::tool {
namespace {

constexpr absl::Duration kPatience = absl::Milliseconds(100);
constexpr uint64_t kKeysBetweenLooks = 256;
constexpr size_t kMostKeys = 200;

// Commands are found whatever their case, and completed in the one typed.
std::vector<std::string> CommandCompletions(std::string_view word) {
  const std::string capitals = absl::AsciiStrToUpper(std::string(word));
  const bool is_lower = capitals != word;
  std::vector<std::string> found;
  for (const std::string& name : ShellInterpreter::CommandNames()) {
    if (!name.starts_with(capitals)) continue;
    found.push_back(is_lower ? absl::AsciiStrToLower(name) : name);
  }
  return found;
}

bool IsPlainWord(std::string_view key) {
  return Escaped(key) == key &&
         key.find_first_of(" \"'") == std::string_view::npos;
}

// The iterator is not told of the prefix, so that it comes back between keys
// that lack it and the clock can be looked at.
std::vector<std::string> KeyCompletions(Store& store, std::string_view word) {
  std::vector<std::string> found;
  Clock& clock = *SystemClock();
  const absl::Duration end = clock.Elapsed() + kPatience;
  ReadOptions options;
  options.verify_checksums = false;
  absl::StatusOr<std::unique_ptr<Iterator>> opened = store.NewIterator(options);
  // Nothing to complete with is all that an error means here.
  if (!opened.ok()) return found;
  Iterator& iterator = **opened;
  uint64_t seen = 0;
  for (iterator.SeekToFirst(); iterator.Valid(); iterator.Next()) {
    if (++seen % kKeysBetweenLooks == 0 && clock.Elapsed() > end) break;
    const std::string_view key = iterator.key();
    if (!key.starts_with(word) || !IsPlainWord(key)) continue;
    found.emplace_back(key);
    if (found.size() == kMostKeys) break;
  }
  return found;
}

}  // namespace

std::vector<std::string> Completions(Store& store, std::string_view before,
                                     std::string_view word) {
  absl::StatusOr<std::vector<std::string>> words = SplitWords(before);
  if (!words.ok()) return {};
  if (words->empty()) return CommandCompletions(word);
  const std::string command = absl::AsciiStrToUpper(words->front());
  const bool takes_many = command == "DELETE" || command == "DEL" ||
                          command == "EXISTS" || command == "MGET";
  if (words->size() > 1 && !takes_many) return {};
  return KeyCompletions(store, word);
}

}  // namespace stave::tool
