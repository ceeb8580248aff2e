#include "tests/engine/fs/file_system_contract.h"

#include <algorithm>
#include <array>
#include <cstddef>
#include <cstdint>
#include <vector>

#include "absl/status/status.h"
#include "absl/status/statusor.h"
#include "absl/types/span.h"

namespace stave {

GTEST_ALLOW_UNINSTANTIATED_PARAMETERIZED_TEST(FileSystemContract);

namespace {

constexpr std::string_view kParts[] = {"ab", "", "cde"};

}  // namespace

FileSystemContract::FileSystemContract() : under_test_(GetParam()()) {
  auto opened = files().OpenDirectory(under_test_->directory_path());
  EXPECT_TRUE(opened.ok()) << opened.status();
  directory_ = std::move(*opened);
}

std::string FileSystemContract::PathOf(std::string_view name) const {
  return under_test_->directory_path() + "/" + std::string(name);
}

std::unique_ptr<File> FileSystemContract::Create(std::string_view name,
                                                 std::string_view contents) {
  auto file = directory_->CreateFile(name);
  EXPECT_TRUE(file.ok()) << file.status();
  EXPECT_EQ((*file)->Write(0, contents), absl::OkStatus());
  return std::move(*file);
}

std::unique_ptr<File> FileSystemContract::Open(std::string_view name) {
  auto file = directory_->OpenFile(name, /*writable=*/true);
  EXPECT_TRUE(file.ok()) << file.status();
  return std::move(*file);
}

std::unique_ptr<FileMapping> FileSystemContract::Map(File& file, size_t size) {
  auto mapping = file.Map(size, /*writable=*/true);
  EXPECT_TRUE(mapping.ok()) << mapping.status();
  return std::move(*mapping);
}

std::string FileSystemContract::ContentsOf(const File& file) {
  std::string contents(file.Size().value(), '\0');
  const auto size = file.Read(0, absl::MakeSpan(contents));
  EXPECT_TRUE(size.ok()) << size.status();
  contents.resize(*size);
  return contents;
}

// Files.

TEST_P(FileSystemContract, AFileHoldsWhatWasWritten) {
  const auto file = Create("a", "hello");
  EXPECT_EQ(file->Size().value(), 5u);
  EXPECT_EQ(ContentsOf(*file), "hello");
  EXPECT_EQ(ContentsOf(*Open("a")), "hello");
}

TEST_P(FileSystemContract, PartsAreWrittenOneAfterAnother) {
  const auto file = Create("a", "........");
  EXPECT_EQ(file->Write(2, kParts), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), "..abcde.");
}

TEST_P(FileSystemContract, ManyPartsAreWrittenInOneCall) {
  const auto file = Create("a");
  std::vector<std::string_view> parts;
  std::string expected;
  for (int i = 0; i < 2000; ++i) {
    parts.push_back(kParts[i % 3]);
    expected += kParts[i % 3];
  }
  EXPECT_EQ(file->Write(0, parts), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), expected);
}

TEST_P(FileSystemContract, WritingNothingChangesNothing) {
  const auto file = Create("a", "x");
  EXPECT_EQ(file->Write(100, ""), absl::OkStatus());
  EXPECT_EQ(file->Write(100, absl::Span<const std::string_view>()),
            absl::OkStatus());
  EXPECT_EQ(file->Size().value(), 1u);
}

TEST_P(FileSystemContract, AGapReadsAsZeros) {
  const auto file = Create("a");
  EXPECT_EQ(file->Write(3, "x"), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), std::string("\0\0\0x", 4));
}

TEST_P(FileSystemContract, ReadsEndAtTheEndOfTheFile) {
  const auto file = Create("a", "hello");
  std::array<char, 16> bytes;
  EXPECT_EQ(file->Read(3, absl::MakeSpan(bytes)).value(), 2u);
  EXPECT_EQ(std::string_view(bytes.data(), 2), "lo");
  EXPECT_EQ(file->Read(5, absl::MakeSpan(bytes)).value(), 0u);
  EXPECT_EQ(file->Read(1 << 20, absl::MakeSpan(bytes)).value(), 0u);
  EXPECT_EQ(file->Read(0, absl::Span<char>()).value(), 0u);
}

TEST_P(FileSystemContract, WhatIsInMemoryIsReadWithoutWaiting) {
  const auto file = Create("a", "hello");
  std::array<char, 16> bytes;
  const size_t size = file->ReadCached(3, absl::MakeSpan(bytes));
  // Or nothing, where that is not known.
  EXPECT_TRUE(size == 0 || std::string_view(bytes.data(), size) == "lo");
  EXPECT_EQ(file->ReadCached(5, absl::MakeSpan(bytes)), 0u);
  EXPECT_EQ(file->ReadCached(0, absl::Span<char>()), 0u);
}

TEST_P(FileSystemContract, AllocateMakesAFileLongerByZeros) {
  const auto file = Create("a", "hello");
  const absl::Status status = file->Allocate(0, 8);
  if (absl::IsUnimplemented(status)) GTEST_SKIP() << status;
  ASSERT_EQ(status, absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), std::string("hello\0\0\0", 8));
}

TEST_P(FileSystemContract, AllocateNeverShortensNorErases) {
  const auto file = Create("a", "hello");
  const absl::Status status = file->Allocate(1, 2);
  if (absl::IsUnimplemented(status)) GTEST_SKIP() << status;
  EXPECT_EQ(status, absl::OkStatus());
  EXPECT_EQ(file->Allocate(100, 0), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), "hello");
}

TEST_P(FileSystemContract, TruncateSetsTheLength) {
  const auto file = Create("a", "hello");
  EXPECT_EQ(file->Truncate(2), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), "he");
  EXPECT_EQ(file->Truncate(4), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*file), std::string("he\0\0", 4));
}

TEST_P(FileSystemContract, AFileAndItsDirectoryCanBeSynced) {
  const auto file = Create("a", "hello");
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
  EXPECT_EQ(directory().Sync(), absl::OkStatus());
}

TEST_P(FileSystemContract, AFileOpenedForReadingIsNotWritten) {
  Create("a", "hello");
  const auto file = directory().OpenFile("a", /*writable=*/false);
  ASSERT_TRUE(file.ok()) << file.status();
  EXPECT_EQ(ContentsOf(**file), "hello");
  EXPECT_FALSE((*file)->Write(0, "j").ok());
  EXPECT_TRUE(
      absl::IsPermissionDenied((*file)->Map(5, /*writable=*/true).status()));
  EXPECT_EQ(ContentsOf(**file), "hello");
}

// Mappings.

TEST_P(FileSystemContract, AMappingShowsTheFile) {
  const auto file = Create("a", "hello");
  const auto mapping = Map(*file, 5);
  EXPECT_EQ(mapping->size(), 5u);
  EXPECT_EQ(std::string_view(mapping->data(), 5), "hello");
  EXPECT_EQ(file->Write(0, "j"), absl::OkStatus());
  EXPECT_EQ(std::string_view(mapping->data(), 5), "jello");
}

TEST_P(FileSystemContract, StoresAreReadFromTheFile) {
  const auto file = Create("a", "........");
  Map(*file, 8)->Store(2, kParts);
  EXPECT_EQ(ContentsOf(*file), "..abcde.");
  EXPECT_EQ(file->SyncData(), absl::OkStatus());
}

TEST_P(FileSystemContract, AMappingReachesIntoSpaceAllocatedLater) {
  constexpr size_t kSize = 1 << 20;
  const auto file = Create("a");
  const auto mapping = Map(*file, kSize);
  const absl::Status status = file->Allocate(0, kSize);
  if (absl::IsUnimplemented(status)) GTEST_SKIP() << status;
  ASSERT_EQ(status, absl::OkStatus());
  mapping->Populate(kSize / 2, kSize / 2);
  EXPECT_EQ(mapping->data()[kSize - 1], '\0');
  mapping->Store(kSize - 5, kParts);
  EXPECT_EQ(ContentsOf(*file), std::string(kSize - 5, '\0') + "abcde");
}

TEST_P(FileSystemContract, AMappingOutlivesItsFileAndItsName) {
  auto file = Create("a", "hello");
  const auto mapping = Map(*file, 5);
  file.reset();
  EXPECT_EQ(directory().Unlink("a"), absl::OkStatus());
  EXPECT_EQ(std::string_view(mapping->data(), 5), "hello");
}

TEST_P(FileSystemContract, HugePagesAreAHintAlone) {
  constexpr uint64_t kHuge = File::kHugePageBytes;
  const auto file = Create("a", std::string(kHuge + 5, 'x'));
  file->CacheInHugePages(0, kHuge);
  file->CacheInHugePages(kHuge, kHuge);  // its end is within
  file->CacheInHugePages(4 * kHuge, kHuge);
  file->StartSync(0, kHuge);
  file->StartSync(4 * kHuge, kHuge);
  EXPECT_EQ(ContentsOf(*file), std::string(kHuge + 5, 'x'));
}

TEST_P(FileSystemContract, PopulateIsAHintAlone) {
  const auto file = Create("a", std::string(20'000, 'x'));
  const auto mapping = Map(*file, 20'000);
  mapping->Populate(5000, 10'000);
  mapping->Populate(0, 0);
  mapping->Populate(20'000, 0);
  EXPECT_EQ(ContentsOf(*file), std::string(20'000, 'x'));
}

TEST_P(FileSystemContract, AMappingMadeReadOnlyIsStillRead) {
  const auto file = Create("a", "hello");
  const auto mapping = Map(*file, 5);
  EXPECT_EQ(mapping->MakeReadOnly(), absl::OkStatus());
  EXPECT_EQ(std::string_view(mapping->data(), 5), "hello");
}

TEST_P(FileSystemContract, AnEmptyMappingIsPossible) {
  const auto file = Create("a");
  const auto mapping = Map(*file, 0);
  EXPECT_EQ(mapping->size(), 0u);
  EXPECT_EQ(mapping->MakeReadOnly(), absl::OkStatus());
}

// Directories.

TEST_P(FileSystemContract, ListNamesEverything) {
  EXPECT_TRUE(directory().List().value().empty());
  Create("b");
  Create("a");
  EXPECT_EQ(files().CreateDirectory(PathOf("c")), absl::OkStatus());
  auto names = directory().List().value();
  std::sort(names.begin(), names.end());
  EXPECT_EQ(names, (std::vector<std::string>{"a", "b", "c"}));
  EXPECT_EQ(directory().List().value().size(), 3u);
}

TEST_P(FileSystemContract, UnlinkRemovesTheNameAndNotTheOpenFile) {
  const auto file = Create("a", "hello");
  EXPECT_EQ(directory().Unlink("a"), absl::OkStatus());
  EXPECT_TRUE(directory().List().value().empty());
  EXPECT_EQ(ContentsOf(*file), "hello");
}

TEST_P(FileSystemContract, ALinkIsTheSameFileInAnotherDirectory) {
  ASSERT_EQ(files().CreateDirectory(PathOf("b")), absl::OkStatus());
  const auto other = files().OpenDirectory(PathOf("b")).value();
  Create("a", "hello");
  EXPECT_EQ(other->Link(&directory(), "a"), absl::OkStatus());
  EXPECT_EQ(Open("a")->Write(0, "j"), absl::OkStatus());
  EXPECT_EQ(directory().Unlink("a"), absl::OkStatus());
  EXPECT_EQ(ContentsOf(*other->OpenFile("a", false).value()), "jello");
  EXPECT_TRUE(absl::IsNotFound(other->Link(&directory(), "a")));
  Create("a");
  EXPECT_TRUE(absl::IsAlreadyExists(other->Link(&directory(), "a")));
}

TEST_P(FileSystemContract, ARenamedFileTakesTheOthersPlace) {
  const auto replaced = Create("a", "old");
  Create("b", "new");
  EXPECT_EQ(directory().Rename("b", "a"), absl::OkStatus());
  EXPECT_EQ(directory().List().value(), (std::vector<std::string>{"a"}));
  EXPECT_EQ(ContentsOf(*Open("a")), "new");
  EXPECT_EQ(ContentsOf(*replaced), "old");
  EXPECT_EQ(directory().Rename("a", "c"), absl::OkStatus());
  EXPECT_EQ(directory().List().value(), (std::vector<std::string>{"c"}));
  EXPECT_TRUE(absl::IsNotFound(directory().Rename("a", "c")));
  EXPECT_EQ(ContentsOf(*Open("c")), "new");
}

TEST_P(FileSystemContract, NoFileTakesADirectorysPlace) {
  ASSERT_EQ(files().CreateDirectory(PathOf("d")), absl::OkStatus());
  Create("a", "hello");
  EXPECT_TRUE(absl::IsInvalidArgument(directory().Rename("a", "d")));
  EXPECT_EQ(ContentsOf(*Open("a")), "hello");
}

TEST_P(FileSystemContract, CreateFileRefusesANameThatIsThere) {
  Create("a", "hello");
  EXPECT_TRUE(absl::IsAlreadyExists(directory().CreateFile("a").status()));
  EXPECT_EQ(ContentsOf(*Open("a")), "hello");
}

TEST_P(FileSystemContract, WhatIsMissingIsNotFound) {
  EXPECT_TRUE(absl::IsNotFound(directory().OpenFile("a", true).status()));
  EXPECT_TRUE(absl::IsNotFound(directory().OpenFile("a", false).status()));
  EXPECT_TRUE(absl::IsNotFound(directory().Unlink("a")));
  EXPECT_TRUE(absl::IsNotFound(files().OpenDirectory(PathOf("a")).status()));
  EXPECT_TRUE(absl::IsNotFound(files().CreateDirectory(PathOf("a/b"))));
}

TEST_P(FileSystemContract, MessagesNameTheFile) {
  const absl::Status status = directory().OpenFile("missing", true).status();
  EXPECT_NE(status.ToString().find(PathOf("missing")), std::string::npos)
      << status;
}

TEST_P(FileSystemContract, NamesDoNotLeadOutOfTheDirectory) {
  for (const std::string_view name :
       {std::string_view(""), std::string_view("."), std::string_view(".."),
        std::string_view("../a"), std::string_view("/a"),
        std::string_view("a/b"), std::string_view("a\0b", 3)}) {
    EXPECT_TRUE(absl::IsInvalidArgument(directory().CreateFile(name).status()));
    EXPECT_TRUE(
        absl::IsInvalidArgument(directory().OpenFile(name, false).status()));
    EXPECT_TRUE(absl::IsInvalidArgument(directory().Unlink(name)));
    EXPECT_TRUE(absl::IsInvalidArgument(directory().Link(&directory(), name)));
    EXPECT_TRUE(absl::IsInvalidArgument(directory().Rename(name, "b")));
    EXPECT_TRUE(absl::IsInvalidArgument(directory().Rename("b", name)));
    EXPECT_TRUE(absl::IsInvalidArgument(directory().Lock(name, "").status()));
  }
}

TEST_P(FileSystemContract, CreatedDirectoriesOpen) {
  EXPECT_EQ(files().CreateDirectory(PathOf("d")), absl::OkStatus());
  const auto opened = files().OpenDirectory(PathOf("d"));
  ASSERT_TRUE(opened.ok()) << opened.status();
  EXPECT_EQ((*opened)->path(), PathOf("d"));
  EXPECT_TRUE((*opened)->List().value().empty());
}

TEST_P(FileSystemContract, CreateDirectoryRefusesANameThatIsThere) {
  Create("file");
  EXPECT_TRUE(absl::IsAlreadyExists(files().CreateDirectory(PathOf("file"))));
  EXPECT_EQ(files().CreateDirectory(PathOf("d")), absl::OkStatus());
  EXPECT_TRUE(absl::IsAlreadyExists(files().CreateDirectory(PathOf("d"))));
}

TEST_P(FileSystemContract, AFileIsNotADirectory) {
  Create("file");
  const absl::Status status = files().OpenDirectory(PathOf("file")).status();
  EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
  EXPECT_EQ(std::string(status.message()),
            PathOf("file") + " is not a directory");
}

TEST_P(FileSystemContract, ADirectoryIsNotAFile) {
  EXPECT_EQ(files().CreateDirectory(PathOf("d")), absl::OkStatus());
  for (const bool writable : {false, true}) {
    const absl::Status status = directory().OpenFile("d", writable).status();
    EXPECT_TRUE(absl::IsInvalidArgument(status)) << status;
    EXPECT_EQ(std::string(status.message()),
              PathOf("d") + " is not a regular file");
  }
}

// Locks.

TEST_P(FileSystemContract, ALockIsHeldOnce) {
  auto lock = directory().Lock("LOCK", "pid 1\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  const absl::Status second = directory().Lock("LOCK", "pid 2\n").status();
  EXPECT_TRUE(absl::IsUnavailable(second)) << second;
  EXPECT_EQ(std::string(second.message()),
            "lock " + PathOf("LOCK") + ": held by pid 1");
}

TEST_P(FileSystemContract, ALockIsFreeAgainWhenItsHolderLetsGo) {
  auto lock = directory().Lock("LOCK", "a long description\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  lock->reset();
  lock = directory().Lock("LOCK", "short\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_EQ(ContentsOf(**lock), "short\n");
}

TEST_P(FileSystemContract, ARefusedLockChangesNothing) {
  auto lock = directory().Lock("LOCK", "first\n");
  ASSERT_TRUE(lock.ok()) << lock.status();
  EXPECT_FALSE(directory().Lock("LOCK", "second\n").ok());
  EXPECT_FALSE(directory().Lock("LOCK", "third\n").ok());
  EXPECT_EQ(ContentsOf(*Open("LOCK")), "first\n");
}

TEST_P(FileSystemContract, LocksOfDifferentFilesAreIndependent) {
  EXPECT_EQ(files().CreateDirectory(PathOf("d")), absl::OkStatus());
  const auto other = files().OpenDirectory(PathOf("d"));
  ASSERT_TRUE(other.ok()) << other.status();
  const auto lock = directory().Lock("LOCK", "");
  EXPECT_TRUE(lock.ok()) << lock.status();
  const auto second = (*other)->Lock("LOCK", "");
  EXPECT_TRUE(second.ok()) << second.status();
}

}  // namespace stave
