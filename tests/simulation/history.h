#ifndef STAVE_TESTS_SIMULATION_HISTORY_H_
#define STAVE_TESTS_SIMULATION_HISTORY_H_

#include <cstddef>
#include <cstdint>
#include <deque>
#include <string>
#include <vector>

#include "tests/model/model.h"
#include "tests/model/operation.h"

namespace stave {

// What a store may be equal to after a crash: its state after each prefix of
// its operations, from the last one that is known to be on the device.
class History {
 public:
  // How the store came to its end, and so what must be there.
  enum class End {
    kPowerLoss,  // all that was acknowledged as durable
    kKill,       // all that was acknowledged
  };

  explicit History(int64_t wall_ms);

  // An operation begins; its effect may be found from now on. Returns what the
  // store must answer.
  Answer Begin(const Operation& operation);
  // It has succeeded.
  void Acknowledge();
  // It has failed, without an effect.
  void Retract();
  // All that has begun is on the device.
  void MarkDurable();
  // What was held has ended with the process.
  void ForgetHeld();
  // Time passes, or the date is set.
  void PassTime(const Operation& operation);

  const Model& present() const { return states_.back(); }
  int64_t wall_ms() const { return present().wall_ms(); }

  // The number of the first prefix that may be found.
  uint64_t FirstAllowed(End end) const;
  // Whether `found` is the state after a prefix that may be.
  bool Allows(const Answer& found, End end) const;
  // The same where the date was set back to `date_ms` before the store was
  // opened again: for the store it is some time that it was since the last
  // clean close, which remembers it (I12), or else that date.
  bool AllowsSetBack(const Answer& found, End end, int64_t date_ms) const;
  // For messages: what may be found.
  std::string Describe(End end) const;

 private:
  std::deque<Model> states_;
  uint64_t first_number_ = 0;  // of the first of them
  uint64_t acknowledged_ = 0;
  std::vector<int64_t> times_ms_;  // that it was since the last clean close
};

// Whether the model, and a store that answered so, hold the same.
bool Equal(const Model& model, const Answer& found);

}  // namespace stave

#endif  // STAVE_TESTS_SIMULATION_HISTORY_H_
