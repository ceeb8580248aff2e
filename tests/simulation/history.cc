#include "tests/simulation/history.h"

#include "absl/strings/str_cat.h"

namespace stave {

History::History(int64_t wall_ms) : times_ms_({wall_ms}) {
  states_.emplace_back(wall_ms);
}

Answer History::Begin(const Operation& operation) {
  if (IsChange(operation.kind)) {
    // What is held is needed again if this one is retracted.
    if (states_.size() > 1) states_[states_.size() - 2].ForgetHeld();
    states_.push_back(states_.back());
  }
  return states_.back().Apply(operation);
}

void History::Acknowledge() {
  acknowledged_ = first_number_ + states_.size() - 1;
}

void History::Retract() { states_.pop_back(); }

void History::MarkDurable() {
  first_number_ += states_.size() - 1;
  states_.erase(states_.begin(), states_.end() - 1);
  Acknowledge();
}

void History::ForgetHeld() {
  for (Model& state : states_) state.ForgetHeld();
}

void History::PassTime(const Operation& operation) {
  for (Model& state : states_) state.Apply(operation);
  if (operation.kind == Operation::kReopen) times_ms_.clear();
  times_ms_.push_back(present().now_ms());
}

uint64_t History::FirstAllowed(End end) const {
  return end == End::kKill ? acknowledged_ : first_number_;
}

bool History::Allows(const Answer& found, End end) const {
  const size_t first = FirstAllowed(end) - first_number_;
  for (size_t i = states_.size(); i > first; --i) {
    if (Equal(states_[i - 1], found)) return true;
  }
  return false;
}

bool History::AllowsSetBack(const Answer& found, End end,
                            int64_t date_ms) const {
  std::vector<int64_t> times_ms = times_ms_;
  times_ms.push_back(date_ms);
  const size_t first = FirstAllowed(end) - first_number_;
  for (size_t i = states_.size(); i > first; --i) {
    const Model& state = states_[i - 1];
    if (state.keys() < found.keys) continue;
    for (const int64_t time_ms : times_ms) {
      Operation step;
      step.kind = Operation::kPassTime;
      step.time_ms = time_ms - state.wall_ms();
      Model then = state;
      then.Apply(step);
      if (Equal(then, found)) return true;
    }
  }
  return false;
}

std::string History::Describe(End end) const {
  std::string text;
  const size_t first = FirstAllowed(end) - first_number_;
  for (size_t i = first; i < states_.size(); ++i) {
    absl::StrAppend(&text, "after ", first_number_ + i,
                    " changes: ", stave::Describe(states_[i].Whole()), "\n");
  }
  return text;
}

bool Equal(const Model& model, const Answer& found) {
  return Fits(found, model.Whole());
}

}  // namespace stave
