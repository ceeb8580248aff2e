#include <algorithm>
#include <cstddef>
#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/match.h"
#include "engine/format/dictionary.h"
#include "engine/format/file_names.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/record.h"
#include "engine/format/segment_header.h"
#include "engine/log/manifest.h"
#include "engine/log/segment_scanner.h"
#include "stave/store.h"
#include "tests/damage/image_file_system.h"
#include "tests/engine/base/manual_clock.h"
#include "tests/engine/core/directory_image.h"
#include "tests/engine/format/segment_image.h"
#include "tests/fuzz/fuzz_target.h"
#include "tests/fuzz/repair.h"
#include "tests/fuzz/seed_dictionary.h"

// A byte that tells what is made right, and the files of a store, each as a
// byte that stands for its name, two bytes of size, and its contents.
//
// A forged manifest may contradict the segments in ways that show only when
// they are read again; what goes on from it may be DataLoss, no worse. A forged
// checkpoint, or one whose keys a forged manifest has another secret for, may
// show what it likes, and a merge that finds keys where they can't be makes the
// store read-only; it must do no other harm. A dictionary that no manifest
// lists may be any other one, or gone, which the values that need it don't
// survive.

namespace stave {
namespace {

constexpr uint8_t kSegmentBit = 0x80;
constexpr uint8_t kCheckpointBit = 0x40;
constexpr uint8_t kDictionaryBit = 0x20;

// What is made right.
constexpr char kRecords = 1;
constexpr char kSequences = 2;
constexpr char kManifest = 4;
constexpr char kCheckpoint = 8;
// What is opened with the ordered keydir.
constexpr char kOrdered = 16;
constexpr char kDictionary = 32;

KeydirKind KeydirOf(std::string_view input) {
  return !input.empty() && (input.front() & kOrdered) != 0
             ? KeydirKind::kOrdered
             : KeydirKind::kHash;
}

bool IsForged(std::string_view input) {
  return !input.empty() && (input.front() & (kManifest | kCheckpoint)) != 0;
}

std::string NameOf(uint8_t code) {
  if ((code & kSegmentBit) != 0) return SegmentFileName(code % kSegmentBit);
  if ((code & kCheckpointBit) != 0) {
    return CheckpointFileName(code % kCheckpointBit);
  }
  return (code & kDictionaryBit) != 0
             ? DictionaryFileName(code % kDictionaryBit)
             : ManifestFileName(code);
}

void Repair(uint8_t code, char repair, std::string* bytes) {
  if ((code & kSegmentBit) != 0) {
    if ((repair & kRecords) == 0) return;
    RepairSegment((repair & kSequences) != 0, bytes);
  } else if ((code & kCheckpointBit) != 0) {
    if ((repair & kCheckpoint) != 0) RepairCheckpoint(bytes);
  } else if ((code & kDictionaryBit) != 0) {
    if ((repair & kDictionary) != 0) RepairDictionary(bytes);
  } else if ((repair & kManifest) != 0) {
    RepairManifest(code, bytes);
  }
}

DirectoryImage Parse(std::string_view input) {
  DirectoryImage files;
  if (input.empty()) return files;
  const char repair = input.front();
  input.remove_prefix(1);
  while (input.size() >= 3) {
    const auto code = static_cast<uint8_t>(input[0]);
    const size_t size = static_cast<uint8_t>(input[1]) |
                        size_t{static_cast<uint8_t>(input[2])} << 8;
    std::string bytes(input.substr(3, size));
    input.remove_prefix(3 + bytes.size());
    Repair(code, repair, &bytes);
    files[NameOf(code)] = std::move(bytes);
  }
  return files;
}

bool HasCheckpoint(std::string_view input) {
  const DirectoryImage files = Parse(input);
  return std::any_of(files.begin(), files.end(), [](const auto& file) {
    return ParseCheckpointFileName(file.first).has_value();
  });
}

using Contents = std::map<std::string, std::string>;

// Then its keys may be others than those of the records that it names, and
// where it says that one is there may be none.
bool HasForgedKeys(std::string_view input) {
  return IsForged(input) && HasCheckpoint(input) &&
         KeydirOf(input) == KeydirKind::kOrdered;
}

// If it lists one, Open refuses a store that has not just this one.
bool ListsDictionary(std::string_view input) {
  ImageFileSystem disk(Parse(input));
  const auto directory = disk.OpenDirectory("/store");
  FUZZ_CHECK(directory.ok());
  const auto manifest = Manifest::Load(directory->get());
  return manifest.ok() && !manifest->state.dictionaries.empty();
}

// Whether a value may be lost: somebody has forged it or its dictionary, or has
// made a manifest forget that. Open does not try to restore values.
bool MayLoseValue(std::string_view input, const absl::Status& status) {
  if (input.empty()) return false;
  if ((input.front() & (kRecords | kDictionary)) != 0) return true;
  return absl::StrContains(status.message(), "DICTIONARY-") &&
         (IsForged(input) || !ListsDictionary(input));
}

// What it visits; `*whole` tells whether that is all there is.
Contents All(Store& store, std::string_view input, bool* whole) {
  Contents contents;
  const bool has_forged_keys = HasForgedKeys(input);
  auto iterator = store.NewIterator();
  FUZZ_CHECK(iterator.ok());
  for ((*iterator)->SeekToFirst(); (*iterator)->Valid(); (*iterator)->Next()) {
    const std::string key((*iterator)->key());
    const bool is_new = contents.emplace(key, (*iterator)->value()).second;
    const absl::StatusOr<std::string> value = store.Get(key);
    if (has_forged_keys) continue;
    FUZZ_CHECK(is_new);
    FUZZ_CHECK(value.value() == contents[key]);
    FUZZ_CHECK(store.Exists(key).value());
  }
  const absl::Status status = (*iterator)->status();
  FUZZ_CHECK(status.ok() || (absl::IsDataLoss(status) &&
                             (has_forged_keys || MayLoseValue(input, status))));
  *whole = status.ok();
  return contents;
}

void GoOn(Store& store, const Options& options, std::string_view input) {
  const bool may_latch = IsForged(input) && HasCheckpoint(input);
  bool whole = false;
  const Contents before = All(store, input, &whole);
  if (!store.Put("new", "value").ok()) return;
  FUZZ_CHECK(store.Sync().ok() || may_latch);
  FUZZ_CHECK(store.Close().ok() || may_latch);
  const auto again = Store::Open("/store", options);
  if (IsForged(input) && absl::IsDataLoss(again.status())) return;
  FUZZ_CHECK(again.ok());
  if (may_latch || !whole) return;
  Contents expected = before;
  expected["new"] = "value";
  FUZZ_CHECK(All(**again, input, &whole) == expected);
}

}  // namespace
}  // namespace stave

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace stave;
  const std::string_view input = FuzzInput(data, size);
  const DirectoryImage files = Parse(input);
  ManualClock clock;
  Options options;
  options.clock = &clock;
  options.background_threads = false;
  options.recovery_threads = 1;
  options.segment_size_bytes = 1 << 10;
  options.keydir = KeydirOf(input);
  Contents shown;
  bool opened = false;
  for (const bool read_only : {true, false}) {
    ImageFileSystem disk(files);
    options.read_only = read_only;
    options.file_system = &disk;
    const auto store = Store::Open("/store", options);
    FUZZ_CHECK(disk.changes() == 0 || (store.ok() && !read_only));
    if (!store.ok()) {
      FUZZ_CHECK(absl::IsDataLoss(store.status()) ||
                 absl::IsInvalidArgument(store.status()) ||
                 (read_only && absl::IsNotFound(store.status())));
      FUZZ_CHECK(!opened);
      continue;
    }
    bool whole = false;
    const Contents all = All(**store, input, &whole);
    FUZZ_CHECK(!opened || all == shown);
    shown = all;
    opened = read_only;
    (*store)->GetStatistics();
    if (!read_only) GoOn(**store, options, input);
  }
  return 0;
}

namespace stave {
namespace {

void AddFile(uint8_t code, const std::string& bytes, std::string* input) {
  *input += static_cast<char>(code);
  *input += static_cast<char>(bytes.size() & 0xff);
  *input += static_cast<char>(bytes.size() >> 8);
  *input += bytes;
}

// The store in `input`, opened, and closed with a keydir checkpoint. Nothing in
// it is random, since no segment is made.
std::string WithCheckpoint(const std::string& input, char repair) {
  ImageFileSystem disk(Parse(input));
  ManualClock clock;
  Options options;
  options.clock = &clock;
  options.file_system = &disk;
  options.background_threads = false;
  options.checkpoint_min_keys = 0;
  options.checkpoint_interval_bytes = 1;
  options.keydir = KeydirOf(std::string_view(&repair, 1));
  FUZZ_CHECK((*Store::Open("/store", options))->Close().ok());
  std::string with(1, repair);
  for (const auto& [name, bytes] : disk.Files()) {
    for (uint8_t code = 1; code != 0; ++code) {
      if (NameOf(code) == name) AddFile(code, bytes, &with);
    }
  }
  return with;
}

// Made here byte for byte, since real stores differ in what is random.
class StoreBytes {
 public:
  StoreBytes() { Edit({Base()}); }

  // Its id tells its file's name, so it is less than kDictionaryBit.
  void AddDictionary(std::unique_ptr<const Dictionary> dictionary) {
    dictionary_ = std::move(dictionary);
  }
  void ListDictionary() {
    Edit({DictionaryChange{dictionary_->id(), dictionary_->checksum()}});
  }
  void Add(uint64_t id) {
    Edit({AddSegmentChange{{SegmentKind::kLog, id, 0x5a17 + id}, 0}});
  }
  SegmentImage& Segment(uint64_t id, Sequence first) {
    const SegmentHeader header{SegmentKind::kLog, id, 0x5a17 + id};
    return *segments_.emplace(id, std::make_unique<SegmentImage>(header, first))
                .first->second;
  }
  void Seal(uint64_t id) { Edit({SealSegmentChange{id, Summary(id)}}); }
  void Close(uint64_t id) { Edit({CleanCloseChange{id, Summary(id)}}); }

  std::string Input(char repair) const {
    std::string input(1, repair);
    AddFile(1, manifest_, &input);
    for (const auto& [id, segment] : segments_) {
      AddFile(static_cast<uint8_t>(kSegmentBit | id), segment->bytes(), &input);
    }
    if (dictionary_ == nullptr) return input;
    AddFile(static_cast<uint8_t>(kDictionaryBit | dictionary_->id()),
            std::string(dictionary_->file()), &input);
    return input;
  }

 private:
  static BaseChange Base() {
    BaseChange base;
    base.store_id = 17;
    return base;
  }
  void Edit(const ManifestEdit& edit) {
    manifest_ += EncodeManifestEdit(edit, 1, manifest_.size());
  }
  SegmentSummary Summary(uint64_t id) {
    const SegmentImage& segment = *segments_.at(id);
    SegmentScanner scanner(segment.bytes(), segment.seed(), true);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) continue;
    return scanner.summary();
  }
  std::string manifest_ = EncodeManifestHeader(1);
  std::map<uint64_t, std::unique_ptr<SegmentImage>> segments_;
  std::unique_ptr<const Dictionary> dictionary_;
};

// Killed after a value was stored by a dictionary, once that was listed, or
// before that edit was durable.
StoreBytes WithDictionary(bool listed) {
  StoreBytes store;
  std::unique_ptr<const Dictionary> dictionary = SeedDictionary(7);
  const std::string value = CompressedBy(*dictionary, SeedText(0));
  store.AddDictionary(std::move(dictionary));
  store.Add(1);
  if (listed) store.ListDictionary();
  SegmentImage& segment = store.Segment(1, 1);
  segment.Put("a", "1");
  RecordHeader compressed;
  compressed.compression = Compression::kZstd;
  segment.Append(compressed, "b", value);
  segment.Put("c", "3");
  return store;
}

}  // namespace

std::vector<std::string> FuzzSeeds() {
  StoreBytes store;
  std::vector<std::string> seeds;
  const auto add = [&] {
    for (char repair = 0; repair < 8; ++repair) {
      seeds.push_back(store.Input(repair));
    }
  };
  add();  // nothing in it yet
  store.Add(1);
  SegmentImage& first = store.Segment(1, 1);
  first.Put("a", "1");
  first.Put("b", "2");
  add();  // killed
  first.Mark(first.size());
  first.PutExpiring("c", "3", 1'900'000'000'000);
  first.Delete("b");
  first.AddZeros(40);
  add();
  store.Seal(1);
  store.Add(2);
  SegmentImage& second = store.Segment(2, 6);
  second.Batch([&] {
    second.Put("b", "22");
    second.Delete("a");
  });
  second.Mark(second.size());
  add();
  store.Close(2);
  add();
  for (char repair = 0; repair < 32; ++repair) {
    seeds.push_back(WithCheckpoint(store.Input(0), repair));
  }
  for (const bool listed : {false, true}) {
    for (const char repair : {char{0}, kRecords, kManifest, kOrdered}) {
      const StoreBytes with = WithDictionary(listed);
      seeds.push_back(with.Input(repair));
      seeds.push_back(with.Input(static_cast<char>(repair | kDictionary)));
    }
  }
  return seeds;
}

}  // namespace stave
