#include "tests/damage/images.h"

#include <algorithm>
#include <random>

#include "absl/strings/str_cat.h"
#include "absl/time/time.h"
#include "engine/format/file_names.h"
#include "gtest/gtest.h"
#include "stave/write_batch.h"

namespace stave {
namespace {

// Goes through a few keys and makes up values for them.
class Writer {
 public:
  Writer(uint64_t seed, uint64_t segment_size_bytes, bool checkpoints = false,
         Compression compression = Compression::kNone,
         KeydirKind keydir = KeydirKind::kHash)
      : store(segment_size_bytes, checkpoints, compression, keydir),
        random_(seed) {}

  std::string Key() { return absl::StrCat("key", random_() % 9); }

  std::string Value() {
    std::string value(1 + random_() % 90, '\0');
    for (char& byte : value) byte = static_cast<char>(random_() % 256);
    value.back() = '.';  // No operation ends in zeros.
    return value;
  }

  // Which can be compressed.
  std::string Text() {
    std::string text = Value();
    for (int i = 0; i < 4; ++i) text += text.substr(text.size() / 2);
    return text;
  }

  void Put(int count) {
    for (int i = 0; i < count; ++i) store.Put(Key(), Value());
  }

  // Puts, and a delete here and there.
  void Change(int count) {
    for (int i = 0; i < count; ++i) {
      if (i % 4 == 3) {
        store.Delete(Key());
      } else {
        store.Put(Key(), Value());
      }
    }
  }

  void Batch(int count) {
    WriteBatch batch;
    for (int i = 0; i < count; ++i) {
      if (i % 4 == 2) {
        batch.Delete(Key());
      } else {
        batch.Put(Key(), Value());
      }
    }
    store.Write(batch);
  }

  WrittenStore store;

 private:
  std::mt19937_64 random_;
};

StoreImage ActiveSegment(uint64_t seed) {
  Writer writer(seed, 4 << 10);
  writer.Put(9);
  writer.store.Sync();
  writer.Change(8);
  writer.store.Sync();
  writer.Put(6);
  return writer.store.Kill();
}

StoreImage SeveralSegments(uint64_t seed) {
  Writer writer(seed, 1 << 10);
  writer.Change(24);
  writer.store.Sync();
  writer.Change(10);
  return writer.store.Kill();
}

StoreImage NeverSynced(uint64_t seed) {
  Writer writer(seed, 2 << 10);
  writer.Change(18);
  return writer.store.Kill();
}

StoreImage ClosedOneSegment(uint64_t seed) {
  Writer writer(seed, 8 << 10);
  writer.Change(12);
  writer.store.Sync();
  writer.Change(12);
  return writer.store.Close();
}

StoreImage ClosedSeveralSegments(uint64_t seed) {
  Writer writer(seed, 640);
  writer.Change(36);
  return writer.store.Close();
}

// A manifest with many edits.
StoreImage TinySegments(uint64_t seed) {
  Writer writer(seed, 256);
  writer.Change(20);
  writer.store.Sync();
  writer.Change(9);
  return writer.store.Kill();
}

StoreImage Batches(uint64_t seed) {
  Writer writer(seed, 2 << 10);
  writer.Batch(7);
  writer.Put(2);
  writer.Batch(12);
  writer.store.Sync();
  writer.Batch(5);
  writer.Change(4);
  writer.Batch(9);
  return writer.store.Kill();
}

StoreImage Expiring(uint64_t seed) {
  Writer writer(seed, 2 << 10);
  for (int i = 0; i < 12; ++i) {
    writer.store.Put(writer.Key(), writer.Value(), absl::Minutes(1 + 30 * i));
  }
  writer.store.Sync();
  writer.store.PassTime(absl::Hours(2));
  writer.Change(5);
  writer.store.Sync();
  for (int i = 0; i < 6; ++i) {
    writer.store.Put(writer.Key(), writer.Value(), absl::Seconds(1 + 60 * i));
  }
  writer.store.PassTime(absl::Minutes(3));
  return writer.store.Kill();
}

StoreImage OpenedAgainAndKilled(uint64_t seed) {
  Writer writer(seed, 2 << 10);
  writer.Change(14);
  writer.store.Reopen();
  writer.Change(6);
  writer.store.Sync();
  writer.Change(6);
  return writer.store.Kill();
}

// Its manifest was written anew.
StoreImage RecoveredAndKilled(uint64_t seed) {
  Writer writer(seed, 1 << 10);
  writer.Change(16);
  writer.store.Sync();
  writer.Change(5);
  writer.store.KillAndReopen();
  writer.Change(8);
  writer.store.Sync();
  writer.Change(4);
  return writer.store.Kill();
}

// A merge's output, merged again, with a log segment behind it.
StoreImage Merged(uint64_t seed) {
  Writer writer(seed, 640);
  writer.Change(20);
  writer.store.Reopen();
  writer.store.MergeAll();
  writer.Change(12);
  writer.store.Reopen();
  writer.store.MergeAll();
  writer.Change(6);
  writer.store.Sync();
  writer.Change(4);
  return writer.store.Kill();
}

// Segments with hint files, an output among them, and one without.
StoreImage HintFiles(uint64_t seed) {
  Writer writer(seed, 640);
  writer.Change(24);
  writer.store.Reopen();
  writer.store.MergeAll();
  writer.Change(16);
  writer.store.Reopen();
  writer.Change(10);
  return writer.store.Close();
}

// A keydir checkpoint of all there is, hint files and a merge's output.
StoreImage Checkpoint(uint64_t seed) {
  Writer writer(seed, 640, /*checkpoints=*/true);
  writer.Change(14);
  writer.store.Reopen();
  writer.store.MergeAll();
  writer.Change(9);
  writer.store.Put(writer.Key(), std::string(1200, 'l'));
  return writer.store.Close();
}

// One that a merge's inputs are gone of, and that the log goes on behind.
StoreImage CheckpointAndMore(uint64_t seed) {
  Writer writer(seed, 640, /*checkpoints=*/true);
  writer.Change(12);
  writer.store.Reopen();
  writer.Change(8);
  writer.store.MergeAll();
  writer.Change(5);
  return writer.store.Kill();
}

// Of keys in their order, of all there is and behind a merge.
StoreImage OrderedCheckpoint(uint64_t seed) {
  Writer writer(seed, 640, /*checkpoints=*/true, Compression::kNone,
                KeydirKind::kOrdered);
  writer.Change(12);
  writer.store.Reopen();
  writer.store.MergeAll();
  writer.Change(7);
  return seed % 2 == 0 ? writer.store.Close() : writer.store.Kill();
}

StoreImage Compressed(uint64_t seed, Compression compression) {
  Writer writer(seed, 1 << 10, /*checkpoints=*/false, compression);
  writer.Change(3);
  for (int i = 0; i < 6; ++i) writer.store.Put(writer.Key(), writer.Text());
  writer.store.Sync();
  for (int i = 0; i < 4; ++i) writer.store.Put(writer.Key(), writer.Text());
  return writer.store.Kill();
}

// So many that a dictionary is learnt of them.
StoreImage CompressedByDictionary(uint64_t seed) {
  Writer writer(seed, 1 << 10, /*checkpoints=*/false, Compression::kZstd);
  for (uint64_t i = 0; i < 40; ++i) {
    writer.store.Put(
        writer.Key(),
        absl::StrCat("{\"name\": \"user ", seed * 31 + i * 7919,
                     "\", \"city\": \"Tromso\", \"roles\": [\"reader\", "
                     "\"writer\", \"administrator\"], \"visits\": ",
                     i * 104729 % 1009, ", \"address\": \"Storgata ", i % 9,
                     "\", \"zip\": \"9008 Tromso\"}"));
    if (i == 36) writer.store.Sync();
  }
  StoreImage image = writer.store.Kill();
  const bool has_learnt =
      std::any_of(image.files.begin(), image.files.end(), [](const auto& file) {
        return ParseDictionaryFileName(file.first).has_value();
      });
  EXPECT_TRUE(has_learnt);
  return image;
}

StoreImage CompressedByZstd(uint64_t seed) {
  return Compressed(seed, Compression::kZstd);
}
StoreImage CompressedByLz4(uint64_t seed) {
  return Compressed(seed, Compression::kLz4);
}

}  // namespace

const std::vector<ImageKind>& ImageKinds() {
  static const auto* const kinds = new std::vector<ImageKind>{
      {"ActiveSegment", ActiveSegment},
      {"SeveralSegments", SeveralSegments},
      {"NeverSynced", NeverSynced},
      {"ClosedOneSegment", ClosedOneSegment},
      {"ClosedSeveralSegments", ClosedSeveralSegments},
      {"TinySegments", TinySegments},
      {"Batches", Batches},
      {"Expiring", Expiring},
      {"OpenedAgainAndKilled", OpenedAgainAndKilled},
      {"RecoveredAndKilled", RecoveredAndKilled},
      {"Merged", Merged},
      {"HintFiles", HintFiles},
      {"Checkpoint", Checkpoint},
      {"CheckpointAndMore", CheckpointAndMore},
      {"OrderedCheckpoint", OrderedCheckpoint},
      {"CompressedByZstd", CompressedByZstd},
      {"CompressedByLz4", CompressedByLz4},
      {"CompressedByDictionary", CompressedByDictionary},
  };
  return *kinds;
}

}  // namespace stave
