#include "engine/format/manifest_edit.h"

#include <algorithm>

#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"

namespace stave {
namespace {

constexpr std::string_view kMagic = "STAVEMAN";
constexpr size_t kVersionAt = 8;
constexpr size_t kHeaderCrcAt = 12;

// The first byte of each change.
enum class ChangeTag : uint8_t {
  kBase = 1,
  kAddSegment = 2,
  kSealSegment = 3,
  kRemoveSegment = 4,
  kCleanClose = 5,
  kClockFloor = 6,
  kForgetSegment = 7,
  kInstallSegment = 8,
  kSynced = 9,
  kBackup = 10,
  kIncarnation = 11,
  kMergedThrough = 12,
  kDictionary = 13,
};

uint32_t NumberSeed(uint64_t number) {
  char bytes[8];
  EncodeFixed(number, bytes);
  return Crc32c(std::string_view(bytes, sizeof(bytes)));
}

// An edit's checksum covers all of it but itself, and its place.
uint32_t EditCrc(std::string_view after_crc, uint64_t number, uint64_t offset) {
  char bytes[8];
  EncodeFixed(offset, bytes);
  const uint32_t seed =
      ExtendCrc32c(NumberSeed(number), std::string_view(bytes, sizeof(bytes)));
  return ExtendCrc32c(seed, after_crc);
}

void AppendTag(ChangeTag tag, std::string* to) {
  AppendFixed(static_cast<uint8_t>(tag), to);
}

void AppendSummary(const SegmentSummary& summary, std::string* to) {
  AppendFixed(summary.length, to);
  AppendFixed(summary.least_sequence, to);
  AppendFixed(summary.greatest_sequence, to);
  AppendFixed(summary.records, to);
  AppendFixed(summary.chain_crc, to);
}

bool ConsumeSummary(std::string_view* from, SegmentSummary* summary) {
  return ConsumeFixed(from, &summary->length) &&
         ConsumeFixed(from, &summary->least_sequence) &&
         ConsumeFixed(from, &summary->greatest_sequence) &&
         ConsumeFixed(from, &summary->records) &&
         ConsumeFixed(from, &summary->chain_crc);
}

void Append(const BaseChange& change, std::string* to) {
  AppendTag(ChangeTag::kBase, to);
  AppendFixed(change.store_id, to);
  to->append(change.hash_secret.data(), change.hash_secret.size());
  AppendFixed(change.next_segment_id, to);
  AppendFixed(change.sealed_through, to);
  AppendFixed(change.clock_floor_ms, to);
}

void AppendHeader(const SegmentHeader& header, std::string* to) {
  AppendFixed(static_cast<uint8_t>(header.kind), to);
  AppendFixed(header.id, to);
  AppendFixed(header.salt, to);
}

bool ConsumeHeader(std::string_view* from, SegmentHeader* header) {
  uint8_t kind = 0;
  if (!ConsumeFixed(from, &kind) || !IsSegmentKind(kind)) return false;
  header->kind = static_cast<SegmentKind>(kind);
  return ConsumeFixed(from, &header->id) && ConsumeFixed(from, &header->salt);
}

void Append(const AddSegmentChange& change, std::string* to) {
  AppendTag(ChangeTag::kAddSegment, to);
  AppendHeader(change.header, to);
  AppendFixed(change.synced_length, to);
}

void Append(const SealSegmentChange& change, std::string* to) {
  AppendTag(ChangeTag::kSealSegment, to);
  AppendFixed(change.id, to);
  AppendSummary(change.summary, to);
}

void Append(const RemoveSegmentChange& change, std::string* to) {
  AppendTag(ChangeTag::kRemoveSegment, to);
  AppendFixed(change.id, to);
}

void Append(const CleanCloseChange& change, std::string* to) {
  AppendTag(ChangeTag::kCleanClose, to);
  AppendFixed(change.id, to);
  AppendSummary(change.summary, to);
}

void Append(const ClockFloorChange& change, std::string* to) {
  AppendTag(ChangeTag::kClockFloor, to);
  AppendFixed(change.clock_floor_ms, to);
}

void Append(const ForgetSegmentChange& change, std::string* to) {
  AppendTag(ChangeTag::kForgetSegment, to);
  AppendFixed(change.id, to);
}

void Append(const InstallSegmentChange& change, std::string* to) {
  AppendTag(ChangeTag::kInstallSegment, to);
  AppendHeader(change.header, to);
  AppendSummary(change.summary, to);
  AppendFixed(change.after, to);
}

void Append(const SyncedChange& change, std::string* to) {
  AppendTag(ChangeTag::kSynced, to);
  AppendFixed(change.id, to);
  AppendFixed(change.length, to);
}

void Append(const BackupChange& change, std::string* to) {
  AppendTag(ChangeTag::kBackup, to);
  AppendFixed(static_cast<uint8_t>(change.finished), to);
  AppendFixed(change.store_id, to);
}

void Append(const IncarnationChange& change, std::string* to) {
  AppendTag(ChangeTag::kIncarnation, to);
  AppendFixed(change.id, to);
  AppendFixed(change.since, to);
}

void Append(const MergedThroughChange& change, std::string* to) {
  AppendTag(ChangeTag::kMergedThrough, to);
  AppendFixed(change.sequence, to);
}

void Append(const DictionaryChange& change, std::string* to) {
  AppendTag(ChangeTag::kDictionary, to);
  AppendFixed(change.id, to);
  AppendFixed(change.checksum, to);
}

bool Consume(std::string_view* from, BaseChange* change) {
  if (!ConsumeFixed(from, &change->store_id)) return false;
  if (from->size() < kHashSecretBytes) return false;
  std::copy_n(from->data(), kHashSecretBytes, change->hash_secret.begin());
  from->remove_prefix(kHashSecretBytes);
  return ConsumeFixed(from, &change->next_segment_id) &&
         ConsumeFixed(from, &change->sealed_through) &&
         ConsumeFixed(from, &change->clock_floor_ms);
}

bool Consume(std::string_view* from, AddSegmentChange* change) {
  return ConsumeHeader(from, &change->header) &&
         ConsumeFixed(from, &change->synced_length);
}

bool Consume(std::string_view* from, SealSegmentChange* change) {
  return ConsumeFixed(from, &change->id) &&
         ConsumeSummary(from, &change->summary);
}

bool Consume(std::string_view* from, RemoveSegmentChange* change) {
  return ConsumeFixed(from, &change->id);
}

bool Consume(std::string_view* from, CleanCloseChange* change) {
  return ConsumeFixed(from, &change->id) &&
         ConsumeSummary(from, &change->summary);
}

bool Consume(std::string_view* from, ClockFloorChange* change) {
  return ConsumeFixed(from, &change->clock_floor_ms);
}

bool Consume(std::string_view* from, ForgetSegmentChange* change) {
  return ConsumeFixed(from, &change->id);
}

bool Consume(std::string_view* from, InstallSegmentChange* change) {
  return ConsumeHeader(from, &change->header) &&
         ConsumeSummary(from, &change->summary) &&
         ConsumeFixed(from, &change->after);
}

bool Consume(std::string_view* from, SyncedChange* change) {
  return ConsumeFixed(from, &change->id) && ConsumeFixed(from, &change->length);
}

bool Consume(std::string_view* from, BackupChange* change) {
  uint8_t finished = 0;
  if (!ConsumeFixed(from, &finished) || finished > 1) return false;
  change->finished = finished == 1;
  return ConsumeFixed(from, &change->store_id);
}

bool Consume(std::string_view* from, IncarnationChange* change) {
  return ConsumeFixed(from, &change->id) && ConsumeFixed(from, &change->since);
}

bool Consume(std::string_view* from, MergedThroughChange* change) {
  return ConsumeFixed(from, &change->sequence);
}

bool Consume(std::string_view* from, DictionaryChange* change) {
  return ConsumeFixed(from, &change->id) &&
         ConsumeFixed(from, &change->checksum);
}

template <typename Change>
bool ConsumeInto(std::string_view* from, ManifestEdit* edit) {
  Change change;
  if (!Consume(from, &change)) return false;
  edit->push_back(change);
  return true;
}

bool ConsumeChange(std::string_view* from, ManifestEdit* edit) {
  uint8_t tag = 0;
  if (!ConsumeFixed(from, &tag)) return false;
  switch (static_cast<ChangeTag>(tag)) {
    case ChangeTag::kBase:
      return ConsumeInto<BaseChange>(from, edit);
    case ChangeTag::kAddSegment:
      return ConsumeInto<AddSegmentChange>(from, edit);
    case ChangeTag::kSealSegment:
      return ConsumeInto<SealSegmentChange>(from, edit);
    case ChangeTag::kRemoveSegment:
      return ConsumeInto<RemoveSegmentChange>(from, edit);
    case ChangeTag::kCleanClose:
      return ConsumeInto<CleanCloseChange>(from, edit);
    case ChangeTag::kClockFloor:
      return ConsumeInto<ClockFloorChange>(from, edit);
    case ChangeTag::kForgetSegment:
      return ConsumeInto<ForgetSegmentChange>(from, edit);
    case ChangeTag::kInstallSegment:
      return ConsumeInto<InstallSegmentChange>(from, edit);
    case ChangeTag::kSynced:
      return ConsumeInto<SyncedChange>(from, edit);
    case ChangeTag::kBackup:
      return ConsumeInto<BackupChange>(from, edit);
    case ChangeTag::kIncarnation:
      return ConsumeInto<IncarnationChange>(from, edit);
    case ChangeTag::kMergedThrough:
      return ConsumeInto<MergedThroughChange>(from, edit);
    case ChangeTag::kDictionary:
      return ConsumeInto<DictionaryChange>(from, edit);
  }
  return false;
}

}  // namespace

void SegmentSummary::Account(Sequence sequence,
                             std::string_view header_checksum) {
  least_sequence = records == 0 ? sequence : std::min(least_sequence, sequence);
  greatest_sequence = std::max(greatest_sequence, sequence);
  ++records;
  chain_crc = ExtendCrc32c(chain_crc, header_checksum);
}

std::string EncodeManifestHeader(uint64_t number) {
  std::string bytes(kMagic);
  AppendFixed(kFormatVersion, &bytes);
  AppendFixed(ExtendCrc32c(NumberSeed(number), bytes), &bytes);
  return bytes;
}

absl::Status DecodeManifestHeader(std::string_view from, uint64_t number) {
  if (from.size() < kManifestHeaderBytes || !from.starts_with(kMagic)) {
    return absl::DataLossError("it does not begin as manifests do");
  }
  const auto version = DecodeFixed<uint32_t>(&from[kVersionAt]);
  const uint32_t crc =
      ExtendCrc32c(NumberSeed(number), from.substr(0, kHeaderCrcAt));
  const auto stored = DecodeFixed<uint32_t>(&from[kHeaderCrcAt]);
  if (DURABILITY_SITE(kManifestHeaderCheck, crc != stored)) {
    return absl::DataLossError("wrong checksum of the manifest's header");
  }
  if (version != kFormatVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("the store has format version ", version,
                     ", this program knows version ", kFormatVersion,
                     ": use the program that wrote it"));
  }
  return absl::OkStatus();
}

std::string EncodeManifestEdit(const ManifestEdit& edit, uint64_t number,
                               uint64_t offset) {
  std::string payload;
  for (const ManifestChange& change : edit) {
    std::visit([&payload](const auto& each) { Append(each, &payload); },
               change);
  }
  std::string after_crc;
  AppendFixed(static_cast<uint32_t>(payload.size()), &after_crc);
  after_crc += payload;
  std::string bytes;
  AppendFixed(EditCrc(after_crc, number, offset), &bytes);
  bytes += after_crc;
  bytes.resize(AlignRecord(bytes.size()), '\0');
  return bytes;
}

absl::StatusOr<ManifestEdit> DecodeManifestEdit(std::string_view from,
                                                uint64_t number,
                                                uint64_t offset, size_t* size) {
  if (from.size() < kEditHeaderBytes) {
    return absl::DataLossError("the file ends within an edit");
  }
  const auto crc = DecodeFixed<uint32_t>(from.data());
  const uint64_t payload_size = DecodeFixed<uint32_t>(from.data() + 4);
  const uint64_t end = kEditHeaderBytes + payload_size;
  const uint64_t padded_end = AlignRecord(end);
  if (payload_size == 0 || padded_end > from.size()) {
    return absl::DataLossError("an edit of impossible size");
  }
  if (DURABILITY_SITE(kEditCheck, EditCrc(from.substr(4, end - 4), number,
                                          offset) != crc)) {
    return absl::DataLossError("wrong checksum of an edit");
  }
  if (from.substr(end, padded_end - end).find_first_not_of('\0') !=
      std::string_view::npos) {
    return absl::DataLossError("wrong padding of an edit");
  }
  std::string_view payload = from.substr(kEditHeaderBytes, payload_size);
  ManifestEdit edit;
  while (!payload.empty()) {
    if (!ConsumeChange(&payload, &edit)) {
      return absl::InvalidArgumentError(
          "an edit with a change that this program does not know: use the "
          "program that wrote it");
    }
  }
  *size = padded_end;
  return edit;
}

}  // namespace stave
