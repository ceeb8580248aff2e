#include "engine/log/hint_file.h"

#include <algorithm>
#include <cstdint>
#include <cstring>
#include <map>
#include <memory>
#include <optional>
#include <random>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/key_hash.h"
#include "engine/base/types.h"
#include "engine/format/file_names.h"
#include "engine/format/hint.h"
#include "engine/format/manifest_edit.h"
#include "engine/format/segment_header.h"
#include "engine/fs/file_system.h"
#include "engine/fs/posix_file_system.h"
#include "engine/log/segment.h"
#include "engine/log/segment_scanner.h"
#include "gtest/gtest.h"
#include "tests/engine/format/damage.h"
#include "tests/engine/format/segment_image.h"
#include "tests/engine/fs/faulty_file_system.h"
#include "tests/engine/fs/temporary_directory.h"
#include "tests/engine/log/memory_segment.h"

namespace stave {
namespace {

HashSecret Secret(char first) {
  HashSecret secret{};
  for (char& byte : secret) byte = first++;
  return secret;
}

// A segment in memory, and its hint file in a directory.
class HintFileTest : public testing::Test {
 protected:
  void Put(const std::string& key, const std::string& value) {
    last_[key] = segment_.Put(key, value);
  }
  void PutExpiring(const std::string& key) {
    last_[key] = segment_.PutExpiring(key, "value", 1);
  }
  void Delete(const std::string& key) { last_[key] = segment_.Delete(key); }
  void PutNumbers(int begin, int end) {
    for (int i = begin; i < end; ++i) {
      Put(absl::StrCat("key", i), std::string(i % 100, 'v'));
    }
  }
  void FillWithAllKinds() {
    Put("put", "value");
    Put("put twice", "1");
    PutExpiring("expires");
    Put("deleted", "value");
    Put("large", std::string(5000, 'l'));
    Put("put twice", "22");
    Delete("deleted");
    Delete("only deleted");
    segment_.Mark(segment_.size());
    segment_.Batch([this] {
      Put("in a batch", "b");
      Delete("put");
      Put("large in a batch", std::string(1000, 'L'));
    });
  }

  SegmentSummary Summary() const {
    SegmentScanner scanner(segment_.bytes(), segment_.seed(), true);
    RecordView record;
    while (scanner.Next(&record) == SegmentScanner::Step::kRecord) continue;
    return scanner.summary();
  }
  absl::Status TryWrite() {
    auto memory = std::make_unique<char[]>(segment_.size());
    std::memcpy(memory.get(), segment_.bytes().data(), segment_.size());
    Segment::Parts parts;
    parts.header = segment_.header();
    parts.name = SegmentFileName(segment_.header().id);
    parts.mapping = std::make_unique<MemoryMapping>(std::move(memory),
                                                    segment_.size(), nullptr);
    const auto segment = Segment::Adopt(std::move(parts));
    const absl::Status status =
        WriteHint(directory_.get(), segment.get(), summary_, hasher_);
    EXPECT_EQ(segment->hint_bytes(), status.ok() ? Bytes().size() : 0);
    return status;
  }
  void Write() {
    summary_ = Summary();
    ASSERT_EQ(TryWrite(), absl::OkStatus());
  }

  absl::StatusOr<std::unique_ptr<HintFile>> TryOpen() {
    return HintFile::Open(directory_.get(), segment_.header(), summary_,
                          hasher_);
  }
  std::unique_ptr<HintFile> Open() {
    absl::StatusOr<std::unique_ptr<HintFile>> hint = TryOpen();
    EXPECT_TRUE(hint.ok()) << hint.status();
    return *std::move(hint);
  }
  void ExpectNotOpened() {
    EXPECT_TRUE(absl::IsDataLoss(TryOpen().status())) << TryOpen().status();
  }
  bool IsThere() { return !absl::IsNotFound(TryOpen().status()); }

  const std::string name_ = HintFileName(7);
  std::string Bytes() {
    const auto file = directory_->OpenFile(name_, false).value();
    std::string bytes(file->Size().value(), '\0');
    EXPECT_EQ(file->Read(0, absl::MakeSpan(bytes.data(), bytes.size())).value(),
              bytes.size());
    return bytes;
  }
  void Replace(const std::string& bytes) {
    directory_->Unlink(name_).IgnoreError();
    EXPECT_TRUE(directory_->CreateFile(name_).value()->Write(0, bytes).ok());
  }

  // Offsets of all that the hint shows between two prefixes.
  static std::vector<uint64_t> Offsets(const HintFile& hint, uint64_t least,
                                       uint64_t greatest) {
    std::vector<uint64_t> offsets;
    const absl::Status status =
        hint.Visit(least, greatest, [&](absl::Span<const HintEntry> entries) {
          for (const HintEntry& entry : entries) {
            EXPECT_TRUE(least <= entry.prefix() && entry.prefix() <= greatest);
            offsets.push_back(entry.offset());
          }
          return absl::OkStatus();
        });
    EXPECT_TRUE(status.ok()) << status;
    return offsets;
  }
  void ExpectAllKeysFound(const HintFile& hint) {
    for (const auto& [key, offset] : last_) {
      const auto found = hint.Find(hasher_(key));
      ASSERT_TRUE(found.ok()) << found.status();
      ASSERT_TRUE(found->has_value()) << key;
      EXPECT_EQ((*found)->offset(), offset) << key;
      EXPECT_TRUE(hint.MayContain(hasher_(key)));
    }
  }

  const TemporaryDirectory place_;
  FaultyFileSystem faults_{PosixFileSystem()};
  std::unique_ptr<Directory> directory_ =
      faults_.OpenDirectory(place_.path()).value();
  const KeyHasher hasher_{Secret(1)};
  SegmentImage segment_{{SegmentKind::kLog, 7, 0x5a17}};
  SegmentSummary summary_;
  std::map<std::string, uint64_t> last_;  // offsets
};

TEST_F(HintFileTest, KnowsEachKeysLastRecord) {
  FillWithAllKinds();
  Write();
  const auto hint = Open();
  EXPECT_EQ(hint->entries(), last_.size());
  ExpectAllKeysFound(*hint);
  EXPECT_TRUE((*hint->Find(hasher_("put")))->tombstone());
  EXPECT_TRUE((*hint->Find(hasher_("only deleted")))->tombstone());
  EXPECT_TRUE((*hint->Find(hasher_("expires")))->expires());
  EXPECT_EQ((*hint->Find(hasher_("in a batch")))->exact_size(), 40u);
  EXPECT_EQ(hint->Verify(), absl::OkStatus());
}

TEST_F(HintFileTest, KnowsLargeRecordsSizes) {
  FillWithAllKinds();
  Write();
  const auto hint = Open();
  EXPECT_EQ(hint->sizes(), 2u);
  EXPECT_EQ(hint->VerifySizes(), absl::OkStatus());
  EXPECT_EQ(hint->LargeSizeAt(last_["large"]), 24u + 8 + 5000);
  EXPECT_EQ(hint->LargeSizeAt(last_["large in a batch"]), 24u + 16 + 1000);
  EXPECT_EQ(hint->LargeSizeAt(last_["in a batch"]), 0u);
  EXPECT_EQ(hint->LargeSizeAt(1'000'000), 0u);
}

TEST_F(HintFileTest, ProvesThatAKeyIsNotThere) {
  PutNumbers(0, 5000);
  Write();
  const auto hint = Open();
  ExpectAllKeysFound(*hint);
  for (int i = 5000; i < 10'000; ++i) {
    EXPECT_FALSE(hint->MayContain(hasher_(absl::StrCat("key", i))));
  }
  EXPECT_FALSE(hint->MayContain({1, 0}));
  EXPECT_FALSE(hint->MayContain({UINT64_MAX, 0xffff}));
}

TEST_F(HintFileTest, ASegmentWithoutKeysHasOneToo) {
  segment_.Mark(32);
  Write();
  const auto hint = Open();
  EXPECT_EQ(hint->file_bytes(), 80u);
  EXPECT_FALSE(hint->MayContain(hasher_("key")));
  EXPECT_TRUE(Offsets(*hint, 0, UINT64_MAX).empty());
  EXPECT_EQ(hint->Verify(), absl::OkStatus());
}

TEST_F(HintFileTest, RangesTogetherShowEachEntryOnce) {
  PutNumbers(0, 3000);
  Write();
  const auto hint = Open();
  const std::vector<uint64_t> all = Offsets(*hint, 0, UINT64_MAX);
  EXPECT_EQ(all.size(), 3000u);
  for (const int bits : {1, 4, 10, 13}) {
    std::vector<uint64_t> together;
    const int shift = 64 - bits;
    for (uint64_t range = 0; range < uint64_t{1} << bits; ++range) {
      const uint64_t least = range << shift;
      for (const uint64_t offset :
           Offsets(*hint, least, least + ((uint64_t{1} << shift) - 1))) {
        together.push_back(offset);
      }
    }
    EXPECT_EQ(together, all);
  }
}

TEST_F(HintFileTest, IsWrittenInPlaceOfAnotherOne) {
  Put("key", "value");
  Replace("what a crash has left");
  Write();
  ExpectAllKeysFound(*Open());
}

TEST_F(HintFileTest, IsOfOneSegmentAndStoreOnly) {
  PutNumbers(0, 10);
  Write();
  const auto opened = [&](const SegmentHeader& header,
                          const SegmentSummary& summary,
                          const KeyHasher& hasher) {
    return HintFile::Open(directory_.get(), header, summary, hasher).status();
  };
  EXPECT_EQ(opened(segment_.header(), summary_, hasher_), absl::OkStatus());
  const SegmentHeader salted{SegmentKind::kLog, 7, 0x5a18};
  EXPECT_TRUE(absl::IsDataLoss(opened(salted, summary_, hasher_)));
  EXPECT_TRUE(absl::IsDataLoss(
      opened(segment_.header(), summary_, KeyHasher(Secret(2)))));
  for (const SegmentSummary& other :
       {SegmentSummary{summary_.length + 8, 1, 10, 10, summary_.chain_crc},
        SegmentSummary{summary_.length, 2, 11, 10, summary_.chain_crc},
        SegmentSummary{summary_.length, 1, 10, 10, summary_.chain_crc + 1}}) {
    EXPECT_TRUE(absl::IsDataLoss(opened(segment_.header(), other, hasher_)));
  }
  // Under another segment's name.
  directory_->CreateFile(HintFileName(8))
      .value()
      ->Write(0, Bytes())
      .IgnoreError();
  EXPECT_TRUE(absl::IsDataLoss(
      opened({SegmentKind::kLog, 8, 0x5a17}, summary_, hasher_)));
}

TEST_F(HintFileTest, IsNotMadeOfASegmentWithADamagedRecord) {
  PutNumbers(0, 20);
  summary_ = Summary();
  const std::string good = segment_.bytes();
  for (size_t at = 32; at < good.size(); at += 7) {
    segment_.bytes() = good;
    segment_.bytes()[at] ^= 4;
    EXPECT_TRUE(absl::IsDataLoss(TryWrite())) << at;
    EXPECT_FALSE(IsThere());
  }
}

TEST_F(HintFileTest, AnErrorLeavesNone) {
  PutNumbers(0, 20);
  summary_ = Summary();
  for (const auto operation :
       {FaultyFileSystem::kCreateFile, FaultyFileSystem::kWrite,
        FaultyFileSystem::kSyncData}) {
    faults_.Fail(operation, DiskFull());
    EXPECT_EQ(TryWrite(), DiskFull());
    EXPECT_FALSE(IsThere());
  }
  EXPECT_EQ(TryWrite(), absl::OkStatus());
}

TEST_F(HintFileTest, AnyWrongBitIsNoticed) {
  FillWithAllKinds();
  Write();
  ForEachFlippedBit(Bytes(), [&](const std::string& damaged) {
    Replace(damaged);
    const auto hint = TryOpen();
    EXPECT_TRUE(!hint.ok() || absl::IsDataLoss((*hint)->Verify()));
    // And what it says nevertheless is right.
    if (hint.ok()) {
      for (const auto& [key, offset] : last_) {
        const auto found = (*hint)->Find(hasher_(key));
        EXPECT_TRUE(!found.ok() || (*found)->offset() == offset);
        EXPECT_TRUE((*hint)->MayContain(hasher_(key)));
      }
    }
  });
}

TEST_F(HintFileTest, ATruncationIsNoticed) {
  FillWithAllKinds();
  Write();
  const std::string whole = Bytes();
  ForEachTruncation(whole, [&](const std::string& cut) {
    Replace(cut);
    ExpectNotOpened();
  });
  Replace(whole + std::string(8, '\0'));
  ExpectNotOpened();
}

TEST_F(HintFileTest, SpoiltBlocksAreNeverTrusted) {
  constexpr unsigned kSeed = 5;
  std::mt19937_64 random(kSeed);
  PutNumbers(0, 3000);
  Write();
  const std::string whole = Bytes();
  for (int round = 0; round < 50; ++round) {
    SCOPED_TRACE(absl::StrCat("seed ", kSeed, ", round ", round));
    std::string spoilt = whole;
    const size_t block = 80 + random() % 12 * 4096;
    for (size_t at = block; at < std::min(block + 4096, whole.size()); ++at) {
      spoilt[at] = static_cast<char>(round % 3 == 0 ? 0 : random());
    }
    Replace(spoilt);
    const auto hint = Open();
    EXPECT_TRUE(absl::IsDataLoss(hint->Verify()));
    for (const auto& [key, offset] : last_) {
      const auto found = hint->Find(hasher_(key));
      EXPECT_TRUE(!found.ok() ||
                  (found->has_value() && (*found)->offset() == offset));
    }
    for (uint64_t range = 0; range < 64; ++range) {
      hint->Visit(range << 58, ((range + 1) << 58) - 1,
                  [&](absl::Span<const HintEntry> entries) {
                    for (const HintEntry& entry : entries) {
                      EXPECT_TRUE(hint->MayContain(entry.hash()));
                    }
                    return absl::OkStatus();
                  })
          .IgnoreError();
    }
  }
}

}  // namespace
}  // namespace stave
