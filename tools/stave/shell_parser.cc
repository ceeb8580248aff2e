#include "tools/stave/shell_parser.h"

#include <algorithm>
#include <cstddef>
#include <optional>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/match.h"
#include "absl/strings/str_cat.h"
#include "tools/stave/duration.h"
#include "tools/stave/escape.h"
#include "tools/stave/status_macros.h"

namespace stave::tool {
namespace {

constexpr std::string_view kSpaces = " \t\r\v\f";

void SkipSpaces(std::string_view* line) {
  line->remove_prefix(std::min(line->find_first_not_of(kSpaces), line->size()));
}

bool IsQuoted(std::string_view text) {
  return text.starts_with('"') || text.starts_with('\'');
}

// Where the quote that `text` begins with is closed.
std::optional<size_t> ClosingQuote(std::string_view text) {
  for (size_t i = 1; i < text.size(); ++i) {
    if (text[i] == text.front()) return i;
    if (text[i] == '\\') ++i;
  }
  return std::nullopt;
}

// Quotes need a backslash before them in a quoted word, where Unescape knows
// nothing of quotes.
std::string WithoutQuoteEscapes(std::string_view text, char quote) {
  std::string plain;
  for (size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '\\' && i + 1 < text.size()) {
      if (text[i + 1] != quote) plain.push_back('\\');
      ++i;
    }
    plain.push_back(text[i]);
  }
  return plain;
}

absl::StatusOr<std::string> TakeQuotedWord(std::string_view* line) {
  const char quote = line->front();
  const std::optional<size_t> end = ClosingQuote(*line);
  if (!end.has_value()) {
    return absl::InvalidArgumentError("a quote is not closed");
  }
  std::string word = WithoutQuoteEscapes(line->substr(1, *end - 1), quote);
  line->remove_prefix(*end + 1);
  if (!line->empty() && kSpaces.find(line->front()) == kSpaces.npos) {
    return absl::InvalidArgumentError("no space after a closing quote");
  }
  SkipSpaces(line);
  if (quote == '\'') return word;
  std::string bytes;
  RETURN_IF_ERROR(Unescape(word, &bytes));
  return bytes;
}

bool IsNumber(std::string_view word) {
  return !word.empty() &&
         word.find_first_not_of("0123456789") == std::string_view::npos;
}

// The words behind a value in quotes.
absl::StatusOr<absl::Duration> ParseExpiry(
    const std::vector<std::string>& words) {
  if (words.empty()) return absl::InfiniteDuration();
  const bool seconds = absl::EqualsIgnoreCase(words[0], "EX");
  const bool milliseconds = absl::EqualsIgnoreCase(words[0], "PX");
  if (words.size() != 2 || (!seconds && !milliseconds) || !IsNumber(words[1])) {
    return absl::InvalidArgumentError(
        "only EX SECONDS or PX MILLISECONDS may stand behind the value");
  }
  return ParseDuration(absl::StrCat(words[1], seconds ? "s" : "ms"));
}

// Takes the last word off `*text`, and the spaces before it.
std::string_view TakeLastWord(std::string_view* text) {
  // npos + 1 is 0, where the text begins.
  const size_t begin = text->find_last_of(kSpaces) + 1;
  const std::string_view word = text->substr(begin);
  *text = text->substr(0, begin);
  *text = text->substr(0, text->find_last_not_of(kSpaces) + 1);
  return word;
}

bool EndsLikeExpiry(std::string_view text) {
  if (!IsNumber(TakeLastWord(&text)) || text.empty()) return false;
  const std::string word(TakeLastWord(&text));
  return !text.empty() && (absl::EqualsIgnoreCase(word, "EX") ||
                           absl::EqualsIgnoreCase(word, "PX"));
}

}  // namespace

absl::StatusOr<std::string> TakeWord(std::string_view* line) {
  SkipSpaces(line);
  if (IsQuoted(*line)) return TakeQuotedWord(line);
  std::string word(line->substr(0, line->find_first_of(kSpaces)));
  line->remove_prefix(word.size());
  SkipSpaces(line);
  return word;
}

absl::StatusOr<std::vector<std::string>> SplitWords(std::string_view line) {
  std::vector<std::string> words;
  SkipSpaces(&line);
  while (!line.empty()) {
    absl::StatusOr<std::string> word = TakeWord(&line);
    if (!word.ok()) return word.status();
    words.push_back(*std::move(word));
  }
  return words;
}

absl::StatusOr<SetArguments> ParseSet(std::string_view line) {
  SkipSpaces(&line);
  if (line.empty()) return absl::InvalidArgumentError("a key is missing");
  absl::StatusOr<std::string> key = TakeWord(&line);
  if (!key.ok()) return key.status();
  if (line.empty()) return absl::InvalidArgumentError("a value is missing");
  if (!IsQuoted(line)) {
    const std::string_view value =
        line.substr(0, line.find_last_not_of(kSpaces) + 1);
    if (!EndsLikeExpiry(value)) {
      return SetArguments{*std::move(key), std::string(value)};
    }
    return absl::InvalidArgumentError(
        "write the value in quotes, to tell whether its end is an expiry: "
        "\"VALUE\" EX 10, or \"VALUE EX 10\"");
  }
  absl::StatusOr<std::string> value = TakeWord(&line);
  if (!value.ok()) return value.status();
  absl::StatusOr<std::vector<std::string>> rest = SplitWords(line);
  if (!rest.ok()) return rest.status();
  absl::StatusOr<absl::Duration> ttl = ParseExpiry(*rest);
  if (!ttl.ok()) return ttl.status();
  return SetArguments{*std::move(key), *std::move(value), *ttl};
}

}  // namespace stave::tool
