#ifndef STAVE_TESTS_ENGINE_CORE_PROMETHEUS_TEXT_H_
#define STAVE_TESTS_ENGINE_CORE_PROMETHEUS_TEXT_H_

#include <map>
#include <string>
#include <string_view>

#include "absl/status/statusor.h"

namespace stave {

// A text in Prometheus' exposition format, version 0.0.4, taken apart.
struct PrometheusText {
  std::map<std::string, std::string> types;  // by metric
  // By series as the text has them, as `name{label="value"}`, labels in the
  // order of their names.
  std::map<std::string, double> samples;
};

// InvalidArgument, with the line, for what breaks the format: a line that is
// none of the grammar's, a TYPE or HELP that comes twice or too late, a metric
// whose lines are apart, a series that comes twice; a histogram without sum,
// count or a bucket +Inf, whose buckets are not in order and cumulative, or
// whose +Inf is not its count.
absl::StatusOr<PrometheusText> ParsePrometheusText(std::string_view text);

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_PROMETHEUS_TEXT_H_
