#include "engine/core/dictionary_file.h"

#include <algorithm>
#include <utility>

#include "absl/strings/str_cat.h"
#include "absl/types/span.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/file_names.h"

namespace stave {
namespace {

std::string PathOf(const Directory& directory, uint64_t id) {
  return absl::StrCat(directory.path(), "/", DictionaryFileName(id));
}

absl::Status Wrong(const Directory& directory, uint64_t id,
                   absl::string_view what) {
  return absl::DataLossError(
      absl::StrCat(PathOf(directory, id), ", offset 0: ", what));
}

absl::StatusOr<std::string> ReadWhole(const File& file) {
  ASSIGN_OR_RETURN(const uint64_t size, file.Size());
  // One byte more than there may be is as wrong as a gigabyte.
  std::string bytes(std::min<uint64_t>(size, kMaxDictionaryFileBytes + 1),
                    '\0');
  ASSIGN_OR_RETURN(const size_t read,
                   file.Read(0, absl::MakeSpan(bytes.data(), bytes.size())));
  bytes.resize(read);
  return bytes;
}

absl::Status WriteAndSync(Directory* directory, File* file,
                          const Dictionary& dictionary) {
  RETURN_IF_ERROR(file->Write(0, dictionary.file()));
  RETURN_IF_ERROR(DURABILITY_SITE(kDictionarySync, file->SyncData()));
  return DURABILITY_SITE(kDictionaryNameSync, directory->Sync());
}

}  // namespace

absl::StatusOr<std::unique_ptr<const Dictionary>> ReadDictionary(
    Directory* directory, uint64_t id) {
  const absl::StatusOr<std::unique_ptr<File>> file =
      directory->OpenFile(DictionaryFileName(id), /*writable=*/false);
  if (absl::IsInvalidArgument(file.status())) {
    return Wrong(*directory, id, "not a regular file");
  }
  RETURN_IF_ERROR(file.status());
  ASSIGN_OR_RETURN(std::string bytes, ReadWhole(**file));
  absl::StatusOr<std::unique_ptr<const Dictionary>> dictionary =
      Dictionary::Decode(std::move(bytes));
  if (!dictionary.ok()) {
    return absl::Status(dictionary.status().code(),
                        absl::StrCat(PathOf(*directory, id), ", offset 0: ",
                                     dictionary.status().message()));
  }
  if ((*dictionary)->id() == id) return dictionary;
  return Wrong(*directory, id, "the file is a dictionary of another id");
}

absl::StatusOr<std::unique_ptr<const Dictionary>> ReadListedDictionary(
    Directory* directory, const DictionaryChange& listed) {
  absl::StatusOr<std::unique_ptr<const Dictionary>> dictionary =
      ReadDictionary(directory, listed.id);
  if (absl::IsNotFound(dictionary.status())) {
    return absl::DataLossError(absl::StrCat(
        PathOf(*directory, listed.id),
        ": the dictionary is missing, which compressed values need: put it "
        "back, as from a backup"));
  }
  RETURN_IF_ERROR(dictionary.status());
  const bool is_another = (*dictionary)->checksum() != listed.checksum;
  if (!DURABILITY_SITE(kDictionaryBinding, is_another)) return dictionary;
  return Wrong(*directory, listed.id,
               "the file is another dictionary than the manifest names");
}

std::vector<uint64_t> DictionariesAmong(const std::vector<std::string>& names) {
  std::vector<uint64_t> ids;
  for (const std::string& name : names) {
    if (const auto id = ParseDictionaryFileName(name)) ids.push_back(*id);
  }
  std::sort(ids.begin(), ids.end());
  return ids;
}

absl::Status WriteDictionary(Directory* directory,
                             const Dictionary& dictionary) {
  const std::string name = DictionaryFileName(dictionary.id());
  const auto before = ReadDictionary(directory, dictionary.id());
  if (before.ok()) {
    if ((*before)->checksum() != dictionary.checksum()) {
      return absl::AlreadyExistsError(
          absl::StrCat(PathOf(*directory, dictionary.id()),
                       ": there is another dictionary of this id"));
    }
    ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                     directory->OpenFile(name, /*writable=*/true));
    return WriteAndSync(directory, file.get(), dictionary);
  }
  if (absl::IsDataLoss(before.status())) {
    RETURN_IF_ERROR(directory->Unlink(name));
  } else if (!absl::IsNotFound(before.status())) {
    return before.status();
  }
  ASSIGN_OR_RETURN(const std::unique_ptr<File> file,
                   directory->CreateFile(name));
  const absl::Status status = WriteAndSync(directory, file.get(), dictionary);
  if (!status.ok()) directory->Unlink(name).IgnoreError();
  return status;
}

}  // namespace stave
