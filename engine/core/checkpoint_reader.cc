#include "engine/core/checkpoint_reader.h"

#include <algorithm>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/core/checkpoint_pages.h"
#include "engine/core/checkpoint_segments.h"
#include "engine/format/checkpoint.h"
#include "engine/format/file_names.h"
#include "engine/index/keydir.h"
#include "engine/log/hint_file.h"

namespace stave {
namespace {

absl::StatusOr<CheckpointHeader> ReadHeaderOf(const File& file, uint64_t size) {
  std::string bytes(std::min<uint64_t>(size, kCheckpointHeaderBytes), '\0');
  RETURN_IF_ERROR(
      ReadExactly(file, 0, absl::MakeSpan(bytes.data(), bytes.size())));
  return DecodeCheckpointHeader(bytes);
}

class CheckpointReader {
 public:
  CheckpointReader(uint64_t generation, const CheckpointedStore& store,
                   State* state, const File& file)
      : generation_(generation), store_(store), state_(*state), file_(file) {}

  absl::StatusOr<CheckpointCoverage> Run(size_t threads) {
    RETURN_IF_ERROR(ReadHeader());
    RETURN_IF_ERROR(ReadTables());
    CheckpointSegments segments(std::move(bound_), store_.segments);
    RETURN_IF_ERROR(segments.Bind());
    std::vector<CheckpointSegments::Counts> counts(threads,
                                                   segments.NewCounts());
    const CheckpointSource source{file_, header_, pages_, segments};
    Keydir& keydir = *state_.keydir;
    RETURN_IF_ERROR(
        header_.kind == CheckpointKind::kOrdered
            ? ReadOrderedPages(source, keydir.order(), absl::MakeSpan(counts))
            : ReadHashedPages(source, keydir.copier(), absl::MakeSpan(counts)));
    if (segments.covers_all()) {
      RETURN_IF_ERROR(segments.Count(counts, &state_));
    }
    segments.MarkCovered();
    return segments.covers_all() ? CheckpointCoverage::kAll
                                 : CheckpointCoverage::kSome;
  }

 private:
  absl::Status ReadHeader() {
    ASSIGN_OR_RETURN(const uint64_t size, file_.Size());
    ASSIGN_OR_RETURN(header_, ReadHeaderOf(file_, size));
    if (header_.generation != generation_) {
      return absl::DataLossError("the checkpoint has another file's name");
    }
    if (header_.file_bytes() != size) {
      return absl::DataLossError(absl::StrCat(
          "the file ends at offset ", size, ", not at ", header_.file_bytes()));
    }
    const bool is_of_another =
        header_.store_id != store_.store_id ||
        header_.secret_check != HintSecretCheck(*state_.hasher);
    if (is_of_another) {
      return absl::FailedPreconditionError("it is another store's checkpoint");
    }
    // I8: it may name what was lost, and not what that had replaced.
    const bool log_ends_before = header_.end_sequence > store_.last_sequence;
    if (DURABILITY_SITE(kCheckpointEndCheck, log_ends_before)) {
      return absl::FailedPreconditionError(
          absl::StrCat("the checkpoint knows of record ", header_.end_sequence,
                       ", the log ends with ", store_.last_sequence));
    }
    const bool is_ordered = header_.kind == CheckpointKind::kOrdered;
    if (is_ordered != (state_.keydir->order() != nullptr)) {
      return absl::UnimplementedError("it is of the other kind of keydir");
    }
    return absl::OkStatus();
  }

  absl::Status ReadTables() {
    std::string segments(header_.segments * kCheckpointSegmentBytes, '\0');
    RETURN_IF_ERROR(
        ReadExactly(file_, header_.segments_offset(),
                    absl::MakeSpan(segments.data(), segments.size())));
    pages_.resize(header_.pages * kCheckpointPageBytes);
    RETURN_IF_ERROR(ReadExactly(file_, header_.pages_offset(),
                                absl::MakeSpan(pages_.data(), pages_.size())));
    const bool damaged =
        CheckpointTablesChecksum(segments, pages_) != header_.tables_checksum;
    if (DURABILITY_SITE(kCheckpointTablesCheck, damaged)) {
      return absl::DataLossError("wrong checksum of the checkpoint's tables");
    }
    for (std::string_view rest = segments; !rest.empty();
         rest.remove_prefix(kCheckpointSegmentBytes)) {
      bound_.push_back(DecodeCheckpointSegment(rest));
    }
    return absl::OkStatus();
  }

  const uint64_t generation_;
  const CheckpointedStore& store_;
  State& state_;
  const File& file_;
  CheckpointHeader header_;
  std::vector<CheckpointSegment> bound_;
  std::string pages_;  // their table
};

}  // namespace

bool IsWholeCheckpoint(Directory* directory, uint64_t generation) {
  const auto file =
      directory->OpenFile(CheckpointFileName(generation), /*writable=*/false);
  if (!file.ok()) return false;
  const absl::StatusOr<uint64_t> size = (*file)->Size();
  return size.ok() && ReadHeaderOf(**file, *size).ok();
}

absl::StatusOr<CheckpointCoverage> ReadCheckpoint(
    Directory* directory, uint64_t generation, const CheckpointedStore& store,
    State* state, size_t threads) {
  ASSIGN_OR_RETURN(
      const std::unique_ptr<File> file,
      directory->OpenFile(CheckpointFileName(generation), /*writable=*/false));
  return CheckpointReader(generation, store, state, *file).Run(threads);
}

}  // namespace stave
