#include "tools/stave/arguments.h"

#include <algorithm>
#include <cstddef>

#include "absl/strings/ascii.h"

namespace stave::tool {
namespace {

// Begins arguments that are protected. One that begins so by itself gets
// another one.
constexpr char kMark = '\x01';

// CLI11 takes anything that begins otherwise for just a text.
bool MayBeInterpreted(std::string_view text) {
  if (text.empty()) return true;
  const auto first = static_cast<unsigned char>(text.front());
  return !absl::ascii_isalnum(first) && first != '/' && first != '.';
}

// As an argument stands before "--".
void Protect(std::string* argument) {
  size_t value = 0;
  if (argument->size() > 1 && argument->front() == '-') {
    // A flag; of "--prefix=[a]" what follows the '=' is a text.
    const size_t equals = argument->find('=');
    if (equals == std::string::npos) return;
    value = equals + 1;
  }
  if (MayBeInterpreted(std::string_view(*argument).substr(value))) {
    argument->insert(value, 1, kMark);
  }
}

}  // namespace

std::vector<std::string> ProtectArguments(std::vector<std::string> arguments) {
  const auto dashes = std::find(arguments.begin(), arguments.end(), "--");
  std::for_each(arguments.begin(), dashes,
                [](std::string& argument) { Protect(&argument); });
  if (dashes == arguments.end()) return arguments;
  const auto literal = arguments.erase(dashes);
  std::for_each(literal, arguments.end(),
                [](std::string& argument) { argument.insert(0, 1, kMark); });
  return arguments;
}

std::string Unprotected(std::string_view argument) {
  if (argument.starts_with(kMark)) argument.remove_prefix(1);
  return std::string(argument);
}

std::string WithoutMarks(std::string_view message) {
  std::string text(message);
  std::erase(text, kMark);
  return text;
}

}  // namespace stave::tool
