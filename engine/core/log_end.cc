#include "engine/core/log_end.h"

#include <algorithm>
#include <map>
#include <utility>

#include "absl/strings/str_cat.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"
#include "engine/format/segment_header.h"
#include "engine/log/segment_scanner.h"
#include "stave/limits.h"

namespace stave {
namespace {

// A segment's bytes, and how far a walk through them came.
struct Walked {
  SegmentHeader header;
  uint32_t seed = 0;
  std::unique_ptr<File> file;
  MemoryRange memory;
  uint64_t size = 0;
  SegmentSummary summary;
  uint64_t used_bytes = 0;  // all but the zeros at its end
  std::string problem;      // why the walk ended; empty: at a clean end

  std::string_view bytes() const {
    return std::string_view(memory.data(), size);
  }
};

absl::Status ReadBytes(const Directory& directory, Walked* walked) {
  ASSIGN_OR_RETURN(
      const uint64_t size,
      SegmentFileSize(directory, SegmentFileName(walked->header.id),
                      *walked->file));
  if (size > walked->memory.size()) {
    ASSIGN_OR_RETURN(walked->memory,
                     MemoryRange::Reserve(std::max<uint64_t>(size, 1)));
  }
  ASSIGN_OR_RETURN(
      walked->size,
      walked->file->Read(0, absl::MakeSpan(walked->memory.data(), size)));
  return absl::OkStatus();
}

// What the sync marks of all segments say together.
struct Marks {
  std::map<SegmentId, uint64_t> synced_lengths;
  int64_t clock_floor_ms = 0;

  void Note(const RecordView& record) {
    SyncMark mark;
    if (record.header.kind != RecordKind::kSyncMark ||
        !DecodeSyncMark(record.value, &mark)) {
      return;
    }
    uint64_t& length = synced_lengths[mark.segment];
    length = std::max(length, mark.length);
    clock_floor_ms = std::max(clock_floor_ms, mark.clock_floor_ms);
  }
};

void Walk(Walked* walked, Marks* marks) {
  SegmentScanner scanner(walked->bytes(), walked->seed,
                         /*check_bodies=*/true);
  RecordView record;
  auto step = scanner.Next(&record);
  for (; step == SegmentScanner::Step::kRecord; step = scanner.Next(&record)) {
    marks->Note(record);
  }
  walked->summary = scanner.summary();
  walked->problem = scanner.problem();
  walked->used_bytes = SizeWithoutZerosAtEnd(walked->bytes());
}

class Finder {
 public:
  Finder(Directory* directory, const ManifestState& manifest)
      : directory_(directory), manifest_(manifest) {}

  absl::StatusOr<LogEnd> Run() {
    end_.last_sequence = manifest_.base.sealed_through;
    for (const ListedSegment& segment : manifest_.segments) {
      if (segment.sealed.has_value()) continue;
      marks_.synced_lengths[segment.header.id] = segment.synced_length;
      RETURN_IF_ERROR(WalkSegment(segment.header));
    }
    for (Walked& walked : walked_) RETURN_IF_ERROR(Judge(&walked));
    end_.clock_floor_ms = marks_.clock_floor_ms;
    return std::move(end_);
  }

 private:
  absl::Status WalkSegment(const SegmentHeader& header) {
    Walked walked;
    walked.header = header;
    walked.seed = SegmentSeed(header.salt, header.id);
    ASSIGN_OR_RETURN(walked.file,
                     directory_->OpenFile(SegmentFileName(header.id), false));
    RETURN_IF_ERROR(ReadBytes(*directory_, &walked));
    // Its header was durable before the manifest named it.
    RETURN_IF_ERROR(CheckSegmentHeader(*directory_, walked.bytes(), header));
    Walk(&walked, &marks_);
    // Only bad records are looked at again.
    if (walked.problem.empty()) walked.memory = MemoryRange();
    walked_.push_back(std::move(walked));
    return absl::OkStatus();
  }

  // Whether the log reaches into this segment, and whether it must.
  absl::Status Judge(Walked* walked) {
    RETURN_IF_ERROR(LookBehindTheEnd(walked));
    UnsealedSegment segment;
    segment.header = walked->header;
    segment.synced_length = marks_.synced_lengths[walked->header.id];
    segment.summary = walked->summary;
    segment.file_bytes = walked->size;
    const SegmentSummary& summary = walked->summary;
    const bool continues = summary.records == 0 ||
                           summary.least_sequence == end_.last_sequence + 1;
    // I3: what follows a gap is no part of the log.
    segment.in_log = !DURABILITY_SITE(kPrefixRule, ended_ || !continues);
    const uint64_t valid =
        segment.in_log ? summary.length : kSegmentHeaderBytes;
    if (DURABILITY_SITE(kMarkVouches, segment.synced_length > valid)) {
      return Lost(*walked, valid);
    }
    if (segment.in_log && summary.records > 0) {
      end_.last_sequence = summary.greatest_sequence;
    }
    if (!segment.in_log || !walked->problem.empty()) ended_ = true;
    if (ended_)
      end_.bytes_cut +=
          walked->used_bytes - std::min(valid, walked->used_bytes);
    end_.segments.push_back(std::move(segment));
    return absl::OkStatus();
  }

  // A bad record is a torn tail only if no mark behind it vouches for it. A
  // writer may have completed it since it was read: then read on.
  absl::Status LookBehindTheEnd(Walked* walked) {
    if (walked->problem.empty()) return absl::OkStatus();
    uint64_t& synced = marks_.synced_lengths[walked->header.id];
    const uint64_t found = DURABILITY_SITE(
        kMarkSearch, FindSyncedLength(walked->bytes(), walked->summary.length,
                                      walked->seed, walked->header.id));
    synced = std::max(synced, found);
    if (synced <= walked->summary.length) return absl::OkStatus();
    RETURN_IF_ERROR(ReadBytes(*directory_, walked));
    Walk(walked, &marks_);
    return absl::OkStatus();
  }
  absl::Status Lost(const Walked& walked, uint64_t valid) const {
    return absl::DataLossError(absl::StrCat(
        directory_->path(), "/", SegmentFileName(walked.header.id), ", offset ",
        valid, ": ",
        walked.problem.empty() ? "records are missing" : walked.problem,
        ", though everything before offset ",
        marks_.synced_lengths.at(walked.header.id),
        " was on the device. The store was left as it is"));
  }

  Directory* const directory_;
  const ManifestState& manifest_;
  Marks marks_;
  std::vector<Walked> walked_;
  LogEnd end_;
  bool ended_ = false;
};

}  // namespace

absl::Status CheckSegmentHeader(const Directory& directory,
                                std::string_view bytes,
                                const SegmentHeader& expected) {
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(bytes);
  absl::Status status = header.status();
  if (header.ok() && DURABILITY_SITE(kSegmentIdentityCheck,
                                     header->id != expected.id ||
                                         header->salt != expected.salt ||
                                         header->kind != expected.kind)) {
    status = absl::DataLossError(
        "the file is another segment than the manifest names");
  }
  if (status.ok()) return status;
  return absl::Status(
      status.code(),
      absl::StrCat(directory.path(), "/", SegmentFileName(expected.id),
                   ", offset 0: ", status.message()));
}

absl::StatusOr<uint64_t> SegmentFileSize(const Directory& directory,
                                         std::string_view name,
                                         const File& file) {
  ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  if (size <= kMaxSegmentSizeBytes) return size;
  return absl::DataLossError(absl::StrCat(
      directory.path(), "/", ToAbsl(name), ", offset ", kMaxSegmentSizeBytes,
      ": the file goes on, to ", size, ", where no segment does"));
}

absl::StatusOr<LogEnd> FindLogEnd(Directory* directory,
                                  const ManifestState& manifest) {
  return Finder(directory, manifest).Run();
}

}  // namespace stave
