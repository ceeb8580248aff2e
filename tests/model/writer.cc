#include "tests/model/writer.h"

#include <utility>

#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"

namespace stave {
namespace {

WorkloadConfiguration ConfigurationOf(uint64_t seed,
                                      const std::string& prefix) {
  WorkloadConfiguration configuration = AnyConfiguration(seed);
  configuration.key_prefix = prefix;
  // What a dictionary is of use for: what all values have in common.
  configuration.value_prefix =
      prefix + "Value of a writer, of which there are several at a time; ";
  configuration.keys = 20;
  // Counts are of all writers' keys, time is the processes', and opening and
  // killing is not for a thread.
  for (const Operation::Kind kind : {Operation::kCount, Operation::kPassTime,
                                     Operation::kReopen, Operation::kKill}) {
    configuration.shares[kind] = 0;
  }
  return configuration;
}

}  // namespace

Writer::Writer(uint64_t seed, size_t number, int64_t wall_ms,
               Progress* progress)
    : prefix_(absl::StrCat(number, ".")),
      workload_(seed * 64 + number, ConfigurationOf(seed, prefix_)),
      model_(wall_ms),
      progress_(progress) {}

std::string Writer::Work(Store* store, uint64_t operations) {
  model_.EndSnapshots();  // this is another store than the last one
  for (uint64_t i = 0; i < operations; ++i) {
    const Operation& operation = workload_.Next();
    progress_->begun = ++done_;
    const absl::StatusOr<Answer> answer =
        performer_.Perform(operation, model_.now_ms(), store);
    if (!answer.ok()) {
      return absl::StrCat(Describe(operation), ": ",
                          answer.status().ToString());
    }
    const Answer expected = model_.Apply(operation);
    if (!Fits(*answer, expected)) {
      return absl::StrCat(Describe(operation), ": the answer was ",
                          Describe(*answer), "\ninstead of ",
                          Describe(expected));
    }
    progress_->acknowledged = done_;
  }
  return "";
}

std::string Writer::CatchUp(const Contents& contents) {
  const uint64_t acknowledged = progress_->acknowledged;
  for (; done_ < acknowledged; ++done_) model_.Apply(workload_.Next());
  model_.ForgetHeld();
  const bool was_working = progress_->begun > acknowledged;
  progress_->begun = acknowledged;
  const Contents found = MyPart(contents);
  if (found == model_.Live()) return "";

  Answer difference;
  difference.contents = found;
  const std::string problem =
      absl::StrCat("writer ", prefix_, " had acknowledged ", acknowledged,
                   " operations; found", Describe(difference), "\ninstead of",
                   Describe(model_.Whole()));
  if (!was_working) return problem;
  const Operation& operation = workload_.Next();
  model_.Apply(operation);
  model_.ForgetHeld();
  progress_->begun = progress_->acknowledged = ++done_;
  if (found == model_.Live()) return "";
  return absl::StrCat(problem, "\nor, after ", Describe(operation), ",",
                      Describe(model_.Whole()));
}

void Writer::PassTime(int64_t time_ms) {
  Operation pass;
  pass.kind = Operation::kPassTime;
  pass.time_ms = time_ms;
  model_.Apply(pass);
}

Contents Writer::MyPart(const Contents& contents) const {
  Contents part;
  for (auto each = contents.lower_bound(prefix_);
       each != contents.end() && each->first.starts_with(prefix_); ++each) {
    part.insert(*each);
  }
  return part;
}

}  // namespace stave
