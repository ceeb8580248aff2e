#include <cstdint>
#include <fstream>
#include <map>
#include <memory>
#include <sstream>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/escaping.h"
#include "engine/base/coding.h"
#include "engine/base/key_hash.h"
#include "engine/format/checkpoint.h"
#include "engine/format/compression.h"
#include "engine/format/dictionary.h"
#include "engine/format/hint.h"
#include "engine/format/hint_builder.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/ordered_checkpoint_page.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/index/hash_stretch.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "stave/store.h"
#include "stave/verify.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/temporary_directory.h"

namespace stave {
namespace {

// A store as programs of format version 1 have left it: a sealed segment, its
// hint file, a segment that was in use, and a manifest with a change of every
// kind; and two checkpoints that are of no use to it. These files never change.
// What reads them today must read them for ever, and as long as version 1 is
// written, write them like this.
constexpr char kDirectory[] = "tests/golden/version_1";

std::string BytesOf(const std::string& name) {
  std::ifstream file(std::string(kDirectory) + "/" + name, std::ios::binary);
  std::ostringstream bytes;
  bytes << file.rdbuf();
  EXPECT_FALSE(bytes.str().empty()) << name;
  return bytes.str();
}

SegmentHeader HeaderOf(const std::string& bytes) {
  const absl::StatusOr<SegmentHeader> header = DecodeSegmentHeader(bytes);
  EXPECT_TRUE(header.ok()) << header.status();
  return header.value_or(SegmentHeader());
}

// Reads a segment's records, up to a clean end, and makes the segment that
// has the same ones.
SegmentImage WriteAgain(const std::string& bytes, Sequence first_sequence) {
  SegmentImage image(HeaderOf(bytes), first_sequence);
  SegmentScanner scanner(bytes, image.seed(), /*check_bodies=*/true);
  RecordView record;
  SegmentScanner::Step step = scanner.Next(&record);
  while (step == SegmentScanner::Step::kRecord) {
    if (record.header.kind != RecordKind::kBatch) {
      image.Append(record.header, record.key, record.value);
      step = scanner.Next(&record);
      continue;
    }
    const RecordHeader frame = record.header;
    image.Batch([&] {
      for (uint32_t i = 0; i < frame.body; ++i) {
        EXPECT_EQ(scanner.Next(&record), SegmentScanner::Step::kRecord);
        image.Append(record.header, record.key, record.value);
      }
    });
    step = scanner.Next(&record);
  }
  EXPECT_EQ(step, SegmentScanner::Step::kCleanEnd) << scanner.problem();
  return image;
}

TEST(GoldenTest, SealedSegmentIsReadAndWrittenAsItWas) {
  const std::string bytes = BytesOf("0000000000000001.seg");
  EXPECT_EQ(HeaderOf(bytes).id, 1u);
  EXPECT_EQ(HeaderOf(bytes).salt, 0x0123456789abcdef);
  EXPECT_EQ(WriteAgain(bytes, 1).bytes(), bytes);
}

TEST(GoldenTest, SegmentInUseIsReadAndWrittenAsItWas) {
  const std::string bytes = BytesOf("0000000000000003.seg");
  SegmentImage image = WriteAgain(bytes, 12);
  image.AddZeros(bytes.size() - image.size());
  EXPECT_EQ(image.bytes(), bytes);
}

TEST(GoldenTest, ManifestIsReadAndWrittenAsItWas) {
  const std::string bytes = BytesOf("MANIFEST-3");
  std::string written = EncodeManifestHeader(3);
  ASSERT_EQ(DecodeManifestHeader(bytes, 3), absl::OkStatus());
  std::vector<size_t> changes(std::variant_size_v<ManifestChange>);
  for (int edits = 0; edits < 7; ++edits) {
    size_t size = 0;
    const absl::StatusOr<ManifestEdit> edit =
        DecodeManifestEdit(std::string_view(bytes).substr(written.size()), 3,
                           written.size(), &size);
    ASSERT_TRUE(edit.ok()) << edit.status();
    for (const ManifestChange& change : *edit) ++changes[change.index()];
    written += EncodeManifestEdit(*edit, 3, written.size());
  }
  // Merges and backups came later; their edits have golden ones of their own.
  for (size_t i = 0; i < changes.size(); ++i) {
    const bool later = i == ManifestChange(InstallSegmentChange()).index() ||
                       i == ManifestChange(SyncedChange()).index() ||
                       i == ManifestChange(BackupChange()).index() ||
                       i == ManifestChange(IncarnationChange()).index() ||
                       i == ManifestChange(MergedThroughChange()).index() ||
                       i == ManifestChange(DictionaryChange()).index();
    EXPECT_EQ(changes[i] > 0, !later) << i;
  }
  written.resize(bytes.size(), '\0');
  EXPECT_EQ(written, bytes);
}

TEST(GoldenTest, EditOfAMergeIsWrittenAsItWas) {
  const ManifestEdit edit = {
      InstallSegmentChange{{SegmentKind::kMerged, 7, 0x0123456789abcdef},
                           {4096, 10, 20, 11, 0xfedcba98},
                           2},
      RemoveSegmentChange{1}, SyncedChange{3, 512},
      ClockFloorChange{1'700'000'000'000}};
  EXPECT_EQ(absl::BytesToHexString(EncodeManifestEdit(edit, 3, 400)),
            "ac146e326100000008020700000000000000efcdab8967452301001000000000"
            "00000a0000000000000014000000000000000b0000000000000098badcfe0200"
            "0000000000000401000000000000000903000000000000000002000000000000"
            "060068e5cf8b01000000000000000000");
}

// At offset 16 of MANIFEST-5: finished, of store 1122334455667788.
TEST(GoldenTest, BackupChangeIsReadAndWrittenAsItWas) {
  const std::string_view bytes(
      "\x9a\x0d\x60\x79\x0a\0\0\0"
      "\x0a\x01\x88\x77\x66\x55\x44\x33\x22\x11\0\0\0\0\0\0",
      24);
  EXPECT_EQ(EncodeManifestEdit({BackupChange{true, 0x1122334455667788}}, 5, 16),
            bytes);
  size_t size = 0;
  const auto edit = DecodeManifestEdit(bytes, 5, 16, &size);
  ASSERT_TRUE(edit.ok()) << edit.status();
  const auto& backup = std::get<BackupChange>(edit->at(0));
  EXPECT_TRUE(backup.finished);
  EXPECT_EQ(backup.store_id, 0x1122334455667788u);
}

// Behind a segment's header: a value compressed with zstd 1.5.4, and the same
// one with lz4 1.9.4, which expires. Libraries may compress differently, but
// these bytes stand for that value for ever.
TEST(GoldenTest, CompressedValuesAreReadAndRecordsWrittenAsTheyWere) {
  const std::string bytes =
      EncodeSegmentHeader({SegmentKind::kLog, 1, 0x0123456789abcdef}) +
      absl::HexStringToBytes(
          "ceee7b2a010204003931c5103c00000001000000000000007a73746494000000"
          "28b52ffd00007d0100b8676f6c64656e20302c203b2031343931363235333634"
          "39090060c360c63667acd58c606660163527ae3856ac74012897d58f01050300"
          "896ebf2a3d00000002000000000000000068e5cf8b0100006c7a3494000000a2"
          "676f6c64656e20302c200a00133b08002d203112001d3412001d3912002d3136"
          "13002d323513001e332600c034392c20676f6c64656e3b20");
  SegmentImage image = WriteAgain(bytes, 1);
  EXPECT_EQ(image.bytes(), bytes);
  SegmentScanner scanner(bytes, image.seed(), /*check_bodies=*/true);
  RecordView record;
  for (const Compression method : {Compression::kZstd, Compression::kLz4}) {
    ASSERT_EQ(scanner.Next(&record), SegmentScanner::Step::kRecord);
    EXPECT_EQ(record.header.compression, method);
    std::string value(PlainSize(record.stored()).value_or(0), '\0');
    EXPECT_EQ(
        Restore(record.stored(), DictionarySet(), value.size(), value.data()),
        absl::OkStatus());
    EXPECT_EQ(value,
              "golden 0, golden; golden 1, golden; golden 4, golden; golden 9, "
              "golden; golden 16, golden; golden 25, golden; golden 36, "
              "golden; golden 49, golden; ");
  }
}

// At offset 16 of MANIFEST-5.
TEST(GoldenTest, EditForFeedsIsReadAndWrittenAsItWas) {
  const std::string bytes = absl::HexStringToBytes(
      "b6bf68a21a0000000b88776655443322"
      "112c010000000000000cc800000000000000000000000000");
  EXPECT_EQ(EncodeManifestEdit({IncarnationChange{0x1122334455667788, 300},
                                MergedThroughChange{200}},
                               5, 16),
            bytes);
  size_t size = 0;
  const auto edit = DecodeManifestEdit(bytes, 5, 16, &size);
  ASSERT_TRUE(edit.ok()) << edit.status();
  const auto& incarnation = std::get<IncarnationChange>(edit->at(0));
  EXPECT_EQ(incarnation.id, 0x1122334455667788u);
  EXPECT_EQ(incarnation.since, 300u);
  EXPECT_EQ(std::get<MergedThroughChange>(edit->at(1)).sequence, 200u);
}

// A dictionary of zstd 1.5.4, and a value of 40 bytes that takes 24 with it: as
// for other compressed ones, libraries may do better, but these stand for it.
TEST(GoldenTest, DictionaryAndValueThatNeedsItAreReadAsTheyWere) {
  const std::string file = absl::HexStringToBytes(
      "5354415645444943213a751701000000671200000001000037a430ec67120000"
      "1710e80ad30100000000404951ca2da5943220a182104202830500001e0a48d6"
      "06000004000000003b73110300000000000000002042050000000000325a0300"
      "00000000000000000014b105eb0b000000000000000000000000000001000000"
      "040000000800000020676f6c64656e203735372c20616e642074686520737175"
      "617265206f662074686174206973203537333034393b20676f6c64656e203735"
      "382c20616e64207420676f6c64656e203630342c20616e642074686520737175"
      "617265206f662074686174206973203336343831363b20676f6c64656e203630"
      "352c20616e64207420676f6c64656e203439392c20616e64");
  auto dictionary = Dictionary::Decode(file);
  ASSERT_TRUE(dictionary.ok()) << dictionary.status();
  EXPECT_EQ((*dictionary)->id(), 4711u);
  EXPECT_EQ((*dictionary)->checksum(), 0x17753a21u);
  EXPECT_EQ((*dictionary)->content().size(), 256u);
  DictionarySet dictionaries;
  ASSERT_NE(dictionaries.Add(*std::move(dictionary)), nullptr);
  const std::string bytes = absl::HexStringToBytes(
      "2800000028b52ffd020067126d00002034393b20023c904092231008");
  const StoredValue stored{Compression::kZstd, bytes};
  EXPECT_EQ(DictionaryOf(stored), 4711u);
  std::string value(PlainSize(stored).value_or(0), '\0');
  EXPECT_EQ(Restore(stored, dictionaries, value.size(), value.data()),
            absl::OkStatus());
  EXPECT_EQ(value, "golden 7, and the square of that is 49; ");
}

// At offset 16 of MANIFEST-5.
TEST(GoldenTest, DictionaryChangeIsReadAndWrittenAsItWas) {
  const std::string bytes = absl::HexStringToBytes(
      "009e8e1d090000000d671200006745230100000000000000");
  EXPECT_EQ(EncodeManifestEdit({DictionaryChange{4711, 0x01234567}}, 5, 16),
            bytes);
  size_t size = 0;
  const auto edit = DecodeManifestEdit(bytes, 5, 16, &size);
  ASSERT_TRUE(edit.ok()) << edit.status();
  EXPECT_EQ(std::get<DictionaryChange>(edit->at(0)),
            (DictionaryChange{4711, 0x01234567}));
}

// The edits of the manifest, all in one.
ManifestEdit ManifestChanges() {
  const std::string bytes = BytesOf("MANIFEST-3");
  ManifestEdit changes;
  size_t size = 0;
  for (size_t at = kManifestHeaderBytes;; at += size) {
    const absl::StatusOr<ManifestEdit> edit =
        DecodeManifestEdit(std::string_view(bytes).substr(at), 3, at, &size);
    if (!edit.ok()) return changes;
    changes.insert(changes.end(), edit->begin(), edit->end());
  }
}

TEST(GoldenTest, HintFileIsReadAndWrittenAsItWas) {
  HashSecret secret{};
  SegmentSummary summary;
  for (const ManifestChange& change : ManifestChanges()) {
    const auto* base = std::get_if<BaseChange>(&change);
    if (base != nullptr) secret = base->hash_secret;
    const auto* seal = std::get_if<SealSegmentChange>(&change);
    if (seal != nullptr && seal->id == 1) summary = seal->summary;
  }
  const KeyHasher hasher(secret);
  const std::string segment = BytesOf("0000000000000001.seg");
  const SegmentHeader header = HeaderOf(segment);
  SegmentScanner scanner(segment, SegmentSeed(header.salt, header.id), true);
  HintBuilder builder(summary.records);
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    builder.Add(hasher(record.key), record.offset, record.header);
  }
  EXPECT_EQ(scanner.summary(), summary);
  const auto check = static_cast<uint32_t>(hasher({}).prefix);
  const HintImage image = std::move(builder).Build(header, summary, check);
  std::string written;
  for (const std::string_view part : image.Parts()) written += part;
  EXPECT_EQ(written, BytesOf("0000000000000001.hint"));
  const absl::StatusOr<HintHeader> read = DecodeHintHeader(written);
  ASSERT_TRUE(read.ok()) << read.status();
  EXPECT_EQ(read->entries, image.entries.size());
}

// What a checkpoint says from when the store had segment 1 alone.
struct Segment1 {
  CheckpointHeader header;
  CheckpointSegment row;
  std::map<std::string, HintEntry> live;
};

Segment1 ReadSegment1() {
  Segment1 of;
  of.header.segments = 1;
  HashSecret secret{};
  for (const ManifestChange& change : ManifestChanges()) {
    const auto* base = std::get_if<BaseChange>(&change);
    if (base != nullptr) of.header.store_id = base->store_id;
    if (base != nullptr) secret = base->hash_secret;
    const auto* seal = std::get_if<SealSegmentChange>(&change);
    if (seal != nullptr && seal->id == 1) of.row.summary = seal->summary;
  }
  of.header.end_sequence = of.row.summary.greatest_sequence;
  const KeyHasher hasher(secret);
  of.header.secret_check = static_cast<uint32_t>(hasher({}).prefix);
  const std::string segment = BytesOf("0000000000000001.seg");
  of.row.id = 1;
  of.row.salt = HeaderOf(segment).salt;
  SegmentScanner scanner(segment, SegmentSeed(of.row.salt, of.row.id), true);
  RecordView record;
  while (scanner.Next(&record) == SegmentScanner::Step::kRecord) {
    if (record.key.empty()) continue;
    of.live[std::string(record.key)] =
        HintEntry(hasher(record.key), record.offset, record.header);
  }
  std::erase_if(of.live,
                [](const auto& key) { return key.second.tombstone(); });
  for (const auto& [key, entry] : of.live) {
    of.row.live_bytes += entry.exact_size();
  }
  return of;
}

// With the location as checkpoints have it.
uint64_t CheckpointEntry(const HintEntry& entry) {
  return entry.keydir_bits() +
         (uint64_t{1} << (kCheckpointGranuleUnitBits + 8));
}

std::string Checkpoint(CheckpointHeader header, const CheckpointSegment& row,
                       const std::string& keys, const std::string& pages) {
  std::string segments;
  AppendCheckpointSegment(row, &segments);
  header.tables_checksum = CheckpointTablesChecksum(segments, pages);
  return EncodeCheckpointHeader(header) + segments + keys + pages;
}

std::string CheckpointOfSegment1() {
  auto [header, row, live] = ReadSegment1();
  header.generation = 5;
  header.keys = live.size();
  // By part of the keydir; each is a page.
  std::map<uint64_t, std::string> parts;
  for (const auto& [key, entry] : live) {
    std::string& part = parts[StretchHash(entry.prefix()) >> 54];
    AppendFixed(entry.prefix(), &part);
    AppendFixed(uint64_t{entry.hash().tag} << 48 | CheckpointEntry(entry),
                &part);
  }
  std::string keys;
  std::string pages;
  for (const auto& [number, part] : parts) {
    CheckpointPage page;
    page.begin = number << 54;
    page.bits = 10;
    page.keys = static_cast<uint16_t>(part.size() / kCheckpointKeyBytes);
    page.checksum = CheckpointPageChecksum(
        header, header.keys_offset() + keys.size(), part);
    AppendCheckpointPage(page, &pages);
    keys += part;
    ++header.pages;
  }
  return Checkpoint(header, row, keys, pages);
}

// Two pages of keys in their order.
std::string OrderedCheckpointOfSegment1() {
  auto [header, row, live] = ReadSegment1();
  header.kind = CheckpointKind::kOrdered;
  header.generation = 6;
  header.pages = 2;
  std::string keys;
  std::string pages;
  OrderedCheckpointPageBuilder builder;
  for (const auto& [key, entry] : live) {
    builder.Add(key, CheckpointEntry(entry));
    const bool is_last = key == live.rbegin()->first;
    if (!is_last && (header.ordered_bytes > 0 || builder.keys() < 3)) continue;
    OrderedCheckpointPage page;
    page.keys = builder.keys();
    page.bytes = builder.AppendTo(&keys);
    page.checksum = CheckpointPageChecksum(
        header, header.pages_offset(),
        std::string_view(keys).substr(keys.size() - page.bytes));
    header.ordered_bytes += page.bytes;
    AppendCheckpointPage(page, &pages);
  }
  return Checkpoint(header, row, keys, pages);
}

TEST(GoldenTest, CheckpointIsReadAndWrittenAsItWas) {
  const std::string bytes = BytesOf("KEYDIR-5");
  EXPECT_EQ(CheckpointOfSegment1(), bytes);
  const absl::StatusOr<CheckpointHeader> header = DecodeCheckpointHeader(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->file_bytes(), bytes.size());
  EXPECT_GT(header->keys, 1u);
}

TEST(GoldenTest, OrderedCheckpointIsReadAndWrittenAsItWas) {
  const std::string bytes = BytesOf("KEYDIR-6");
  EXPECT_EQ(OrderedCheckpointOfSegment1(), bytes);
  const absl::StatusOr<CheckpointHeader> header = DecodeCheckpointHeader(bytes);
  ASSERT_TRUE(header.ok()) << header.status();
  EXPECT_EQ(header->kind, CheckpointKind::kOrdered);
  EXPECT_EQ(header->file_bytes(), bytes.size());
  EXPECT_EQ(header->pages, 2u);
}

using Contents = std::map<std::string, std::string>;

Contents ContentsOf(Store& store) {
  Contents contents;
  const std::unique_ptr<Iterator> iterator = store.NewIterator().value();
  for (iterator->SeekToFirst(); iterator->Valid(); iterator->Next()) {
    contents.emplace(iterator->key(), iterator->value());
  }
  EXPECT_EQ(iterator->status(), absl::OkStatus());
  return contents;
}

// The originals may be symbolic links.
void CopyTo(const std::string& directory) {
  for (const char* name : {"0000000000000001.seg", "0000000000000001.hint",
                           "0000000000000003.seg", "MANIFEST-3"}) {
    std::ofstream(directory + "/" + name, std::ios::binary) << BytesOf(name);
  }
}

TEST(GoldenTest, StoreIsTheSameWithAnEarlierCheckpoint) {
  const TemporaryDirectory copy;
  CopyTo(copy.path());
  const auto expected = ContentsOf(**Store::Open(copy.path(), Options()));
  for (const char* name : {"KEYDIR-5", "KEYDIR-6"}) {
    const TemporaryDirectory with;
    CopyTo(with.path());
    std::ofstream(with.path() + "/" + name, std::ios::binary) << BytesOf(name);
    EXPECT_TRUE(Verify(with.path())->clean);
    Options options;
    if (name == std::string("KEYDIR-6")) options.keydir = KeydirKind::kOrdered;
    EXPECT_EQ(ContentsOf(**Store::Open(with.path(), options)), expected);
  }
}

TEST(GoldenTest, StoreIsClean) {
  const TemporaryDirectory copy;
  CopyTo(copy.path());
  const absl::StatusOr<VerifyReport> report = Verify(copy.path());
  ASSERT_TRUE(report.ok()) << report.status();
  for (const Damage& damage : report->damage) {
    ADD_FAILURE() << damage.file << " " << damage.offset << " " << damage.what;
  }
  EXPECT_GT(report->records, 0u);
}

TEST(GoldenTest, StoreHoldsWhatItHeldAndGoesOn) {
  const TemporaryDirectory copy;
  CopyTo(copy.path());
  Contents expected = {{"banana", "green"},
                       {"cherry", "ripe"},  // until the year 9999
                       {"date", "brown"},
                       {"empty", ""},
                       {std::string("\0\xff\n", 3), "binary"}};
  for (const bool read_only : {true, false, true}) {
    Options options;
    options.read_only = read_only;
    const auto store = Store::Open(copy.path(), options);
    ASSERT_TRUE(store.ok()) << store.status();
    EXPECT_EQ(ContentsOf(**store), expected);
    for (const char* key : {"apple", "pear", "melon"}) {
      EXPECT_TRUE(absl::IsNotFound((*store)->Get(key).status())) << key;
    }
    if (read_only) continue;
    EXPECT_EQ((*store)->Put("elder", "black"), absl::OkStatus());
    expected["elder"] = "black";
  }
}

}  // namespace
}  // namespace stave
