#include <memory>
#include <utility>

#include "absl/status/status.h"
#include "benchmarks/peers/engine.h"
#include "tkrzw_dbm.h"
#include "tkrzw_dbm_hash.h"

namespace stave::bench {
namespace {

absl::Status StatusOf(const tkrzw::Status& status) {
  if (status.IsOK()) return absl::OkStatus();
  if (status == tkrzw::Status::NOT_FOUND_ERROR) return absl::NotFoundError("");
  return absl::InternalError(tkrzw::ToString(status));
}

// Hands each record to a VisitRecord, and changes none.
class Visitor : public tkrzw::DBM::RecordProcessor {
 public:
  explicit Visitor(Subject::VisitRecord visit) : visit_(visit) {}

  std::string_view ProcessFull(std::string_view key,
                               std::string_view value) override {
    // There is no way to end early.
    if (goes_on_) goes_on_ = visit_(key, value);
    return NOOP;
  }

 private:
  const Subject::VisitRecord visit_;
  bool goes_on_ = true;
};

class TkrzwSubject : public Subject {
 public:
  static absl::StatusOr<std::unique_ptr<Subject>> Open(const Job& job) {
    tkrzw::HashDBM::TuningParameters tuning;
    tuning.num_buckets = static_cast<int64_t>(2 * job.keys);
    auto subject = std::make_unique<TkrzwSubject>();
    const tkrzw::Status opened = subject->dbm_.OpenAdvanced(
        job.directory + "/store.tkh", /*writable=*/true,
        tkrzw::File::OPEN_DEFAULT, tuning);
    if (!opened.IsOK()) return StatusOf(opened);
    return subject;
  }

  absl::Status Put(std::string_view key, std::string_view value,
                   bool durable) override {
    const tkrzw::Status set = dbm_.Set(key, value);
    if (!set.IsOK() || !durable) return StatusOf(set);
    return StatusOf(dbm_.Synchronize(/*hard=*/true));
  }

  absl::Status Get(std::string_view key, std::string* value) override {
    return StatusOf(dbm_.Get(key, value));
  }

  absl::Status Delete(std::string_view key) override {
    return StatusOf(dbm_.Remove(key));
  }

  absl::Status Scan(VisitRecord visit) override {
    Visitor visitor(visit);
    return StatusOf(dbm_.ProcessEach(&visitor, /*writable=*/false));
  }

  absl::Status Close() override { return StatusOf(dbm_.Close()); }

 private:
  tkrzw::HashDBM dbm_;
};

}  // namespace

Engine Tkrzw() {
  return {.name = "tkrzw",
          .settings =
              "HashDBM in a MemoryMapParallelFile, num_buckets twice "
              "the keys, update in place; Synchronize(hard) only where "
              "durable",
          .open = TkrzwSubject::Open};
}

}  // namespace stave::bench
