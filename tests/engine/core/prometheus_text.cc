#include "tests/engine/core/prometheus_text.h"

#include <cmath>
#include <limits>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/strings/ascii.h"
#include "absl/strings/numbers.h"
#include "absl/strings/str_cat.h"

namespace stave {
namespace {

using Labels = std::map<std::string, std::string>;

bool TakePrefix(std::string_view prefix, std::string_view* rest) {
  if (rest->substr(0, prefix.size()) != prefix) return false;
  rest->remove_prefix(prefix.size());
  return true;
}

// [a-zA-Z_:][a-zA-Z0-9_:]*, for labels without ':'; empty if there is none.
std::string TakeName(bool with_colons, std::string_view* rest) {
  size_t end = 0;
  while (end < rest->size()) {
    const char c = (*rest)[end];
    const auto byte = static_cast<unsigned char>(c);
    if (!absl::ascii_isalpha(byte) && c != '_' && !(with_colons && c == ':') &&
        !(end > 0 && absl::ascii_isdigit(byte))) {
      break;
    }
    ++end;
  }
  std::string name(rest->substr(0, end));
  rest->remove_prefix(end);
  return name;
}

bool ParseNumber(std::string_view text, double* number) {
  if (text == "+Inf") {
    *number = std::numeric_limits<double>::infinity();
    return true;
  }
  return absl::SimpleAtod(absl::string_view(text.data(), text.size()), number);
}

class Parser {
 public:
  absl::StatusOr<PrometheusText> Run(std::string_view text) {
    if (text.empty() || text.back() != '\n') {
      return absl::InvalidArgumentError("the last line has no end");
    }
    while (!text.empty()) {
      const size_t end = text.find('\n');
      const std::string_view line = text.substr(0, end);
      text.remove_prefix(end + 1);
      const char* const wrong = TakeLine(line);
      if (wrong != nullptr) return Error(wrong, line);
    }
    for (const auto& [series, histogram] : histograms_) {
      const char* const wrong = CheckHistogram(histogram);
      if (wrong != nullptr) return Error(wrong, series);
    }
    return parsed_;
  }

 private:
  struct Histogram {
    std::vector<std::pair<double, double>> buckets;  // le, count
    std::optional<double> sum, count;
  };

  static absl::Status Error(std::string_view what, std::string_view where) {
    return absl::InvalidArgumentError(
        absl::StrCat(std::string(what), ": ", std::string(where)));
  }

  // What is wrong with it, or null.
  const char* TakeLine(std::string_view line) {
    if (TakePrefix("# HELP ", &line)) return TakeHelp(line);
    if (TakePrefix("# TYPE ", &line)) return TakeType(line);
    return TakeSample(line);
  }

  const char* TakeHelp(std::string_view line) {
    const std::string name = TakeName(true, &line);
    if (name.empty() || !TakePrefix(" ", &line)) return "no name";
    for (size_t i = 0; i < line.size(); ++i) {
      if (line[i] != '\\') continue;
      if (++i == line.size() || (line[i] != '\\' && line[i] != 'n')) {
        return "an escape of HELP that is none";
      }
    }
    if (!helped_.insert(name).second) return "a second HELP";
    return Begin(name);
  }

  const char* TakeType(std::string_view line) {
    static const std::set<std::string_view> kTypes = {
        "counter", "gauge", "histogram", "summary", "untyped"};
    const std::string name = TakeName(true, &line);
    if (name.empty() || !TakePrefix(" ", &line)) return "no name";
    if (kTypes.count(line) == 0) return "an unknown type";
    if (!parsed_.types.emplace(name, line).second) return "a second TYPE";
    return Begin(name);
  }

  // The lines of one metric stand together.
  const char* Begin(const std::string& metric) {
    if (metric == present_) return nullptr;
    present_ = metric;
    return seen_.insert(metric).second ? nullptr : "a metric's lines are apart";
  }

  const char* TakeSample(std::string_view line) {
    const std::string name = TakeName(true, &line);
    if (name.empty()) return "no name";
    Labels labels;
    if (TakePrefix("{", &line)) {
      const char* const wrong = TakeLabels(&line, &labels);
      if (wrong != nullptr) return wrong;
    }
    double value = 0;
    if (!TakePrefix(" ", &line) || !ParseNumber(line, &value)) {
      return "no value";
    }
    return Add(name, labels, value);
  }

  const char* TakeLabels(std::string_view* line, Labels* labels) {
    while (!TakePrefix("}", line)) {
      const std::string name = TakeName(false, line);
      if (name.empty() || !TakePrefix("=\"", line)) return "no label";
      std::string value;
      while (!TakePrefix("\"", line)) {
        if (line->empty()) return "a label's value has no end";
        const bool escaped = TakePrefix("\\", line);
        if (line->empty()) return "a label's value has no end";
        const char c = line->front();
        if (escaped && c != '\\' && c != '"' && c != 'n') {
          return "an escape that is none";
        }
        value.push_back(escaped && c == 'n' ? '\n' : c);
        line->remove_prefix(1);
      }
      if (!labels->emplace(name, value).second) return "a label comes twice";
      if (!TakePrefix(",", line) && line->substr(0, 1) != "}") {
        return "labels are not parted";
      }
    }
    return nullptr;
  }

  static std::string SeriesOf(const std::string& name, const Labels& labels) {
    std::string series = name;
    for (const auto& [label, value] : labels) {
      absl::StrAppend(&series, series == name ? "{" : ",", label, "=\"", value,
                      "\"");
    }
    return series == name ? series : series + "}";
  }

  const char* Add(const std::string& name, Labels labels, double value) {
    if (!parsed_.samples.emplace(SeriesOf(name, labels), value).second) {
      return "a series comes twice";
    }
    for (const std::string_view part : {"_bucket", "_sum", "_count"}) {
      if (name.size() <= part.size()) continue;
      const std::string metric = name.substr(0, name.size() - part.size());
      const auto type = parsed_.types.find(metric);
      if (type == parsed_.types.end() || type->second != "histogram" ||
          metric + std::string(part) != name) {
        continue;
      }
      return AddToHistogram(metric, part, std::move(labels), value);
    }
    const auto type = parsed_.types.find(name);
    if (type == parsed_.types.end()) return "a sample before its TYPE";
    if (type->second == "counter" && value < 0) return "a counter below 0";
    return Begin(name);
  }

  const char* AddToHistogram(const std::string& metric, std::string_view part,
                             Labels labels, double value) {
    double le = 0;
    if (part == "_bucket") {
      const auto found = labels.find("le");
      if (found == labels.end() || !ParseNumber(found->second, &le)) {
        return "a bucket without le";
      }
      labels.erase(found);
    }
    Histogram& histogram = histograms_[SeriesOf(metric, labels)];
    if (part == "_bucket") histogram.buckets.emplace_back(le, value);
    if (part == "_sum") histogram.sum = value;
    if (part == "_count") histogram.count = value;
    return Begin(metric);
  }

  static const char* CheckHistogram(const Histogram& histogram) {
    if (!histogram.sum || !histogram.count) return "no sum or no count";
    double le = -std::numeric_limits<double>::infinity(), count = 0;
    for (const auto& bucket : histogram.buckets) {
      if (bucket.first <= le) return "buckets are not in order";
      if (bucket.second < count) return "buckets are not cumulative";
      le = bucket.first;
      count = bucket.second;
    }
    if (!std::isinf(le)) return "no bucket +Inf";
    return count == *histogram.count ? nullptr : "+Inf is not the count";
  }

  PrometheusText parsed_;
  std::map<std::string, Histogram> histograms_;  // by series, without le
  std::set<std::string> helped_;
  std::set<std::string> seen_;
  std::string present_;
};

}  // namespace

absl::StatusOr<PrometheusText> ParsePrometheusText(std::string_view text) {
  return Parser().Run(text);
}

}  // namespace stave
