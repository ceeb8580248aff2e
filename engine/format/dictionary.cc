#include "engine/format/dictionary.h"

#include <algorithm>
#include <utility>

#include "absl/status/status.h"
#include "absl/strings/str_cat.h"
#include "engine/base/checksum.h"
#include "engine/base/coding.h"
#include "engine/base/durability_site.h"
#include "engine/base/status_macros.h"
#include "engine/format/segment_header.h"
// fastCover with given parameters: a twentieth of the time that it takes to try
// several, and as good.
#define ZDICT_STATIC_LINKING_ONLY
#include "zdict.h"
#include "zstd.h"

namespace stave {
namespace {

constexpr std::string_view kMagic = "STAVEDIC";
constexpr size_t kChecksumAt = 8;
constexpr size_t kVersionAt = 12;
constexpr size_t kIdAt = 16;
constexpr size_t kSizeAt = 20;
// RFC 8878, section 5: behind a dictionary's magic number.
constexpr size_t kIdInContent = 4;
// So that it takes two bytes of each frame at most.
static_assert(kMaxDictionaryId < 1 << 16);

uint32_t ChecksumOf(std::string_view file) {
  return ExtendCrc32c(Crc32c(file.substr(0, kChecksumAt)),
                      file.substr(kVersionAt));
}

absl::Status Wrong(std::string_view what) {
  return absl::DataLossError(ToAbsl(what));
}

std::string FileOf(std::string content) {
  const uint32_t id = 1 + Crc32c(content) % kMaxDictionaryId;
  EncodeFixed(id, content.data() + kIdInContent);
  std::string file(kMagic);
  AppendFixed(uint32_t{0}, &file);
  AppendFixed(kFormatVersion, &file);
  AppendFixed(id, &file);
  AppendFixed(static_cast<uint32_t>(content.size()), &file);
  file += content;
  EncodeFixed(ChecksumOf(file), file.data() + kChecksumAt);
  return file;
}

}  // namespace

Dictionary::Dictionary(std::string file, uint32_t id, uint32_t checksum,
                       ZSTD_DDict_s* prepared)
    : file_(std::move(file)),
      id_(id),
      checksum_(checksum),
      prepared_(prepared) {}

Dictionary::~Dictionary() { ZSTD_freeDDict(prepared_); }

std::string_view Dictionary::content() const {
  return file().substr(kDictionaryHeaderBytes);
}

absl::StatusOr<std::unique_ptr<const Dictionary>> Dictionary::Decode(
    std::string file) {
  if (file.size() < kDictionaryHeaderBytes ||
      file.size() > kMaxDictionaryFileBytes) {
    return Wrong(absl::StrCat("a dictionary of ", file.size(), " bytes"));
  }
  if (!file.starts_with(kMagic)) {
    return Wrong("it does not begin as dictionaries do");
  }
  const auto checksum = DecodeFixed<uint32_t>(&file[kChecksumAt]);
  if (DURABILITY_SITE(kDictionaryCheck, ChecksumOf(file) != checksum)) {
    return Wrong("wrong checksum of a dictionary");
  }
  const auto version = DecodeFixed<uint32_t>(&file[kVersionAt]);
  if (version != kFormatVersion) {
    return absl::InvalidArgumentError(
        absl::StrCat("a dictionary of format version ", version));
  }
  const auto id = DecodeFixed<uint32_t>(&file[kIdAt]);
  const std::string_view content =
      std::string_view(file).substr(kDictionaryHeaderBytes);
  if (DecodeFixed<uint32_t>(&file[kSizeAt]) != content.size()) {
    return Wrong("a dictionary of another size than it says");
  }
  ZSTD_DDict* const prepared = ZSTD_createDDict(content.data(), content.size());
  if (id == 0 || id > kMaxDictionaryId || prepared == nullptr ||
      ZSTD_getDictID_fromDDict(prepared) != id) {
    ZSTD_freeDDict(prepared);
    return Wrong("bytes that are no dictionary of zstd's");
  }
  return std::unique_ptr<const Dictionary>(
      new Dictionary(std::move(file), id, checksum, prepared));
}

absl::StatusOr<std::unique_ptr<const Dictionary>> Dictionary::Train(
    std::string_view bytes, absl::Span<const size_t> sizes, size_t size) {
  ZDICT_fastCover_params_t parameters = {};
  // For real text; from 200 to 1,000 it makes no difference. So large pieces
  // that several fit.
  parameters.k = static_cast<unsigned>(std::min<size_t>(512, size / 4));
  parameters.d = 8;
  parameters.f = 18;
  parameters.accel = 1;
  std::string content(size, '\0');
  const size_t trained = ZDICT_trainFromBuffer_fastCover(
      content.data(), content.size(), bytes.data(), sizes.data(),
      static_cast<unsigned>(sizes.size()), parameters);
  if (ZDICT_isError(trained)) {
    return absl::NotFoundError(
        absl::StrCat("no dictionary: ", ZDICT_getErrorName(trained)));
  }
  content.resize(trained);
  return Decode(FileOf(std::move(content)));
}

const Dictionary* DictionarySet::FindHere(uint32_t id) const {
  const size_t size = size_.load(std::memory_order_acquire);
  for (size_t i = 0; i < size; ++i) {
    if (all_[i]->id() == id) return all_[i].get();
  }
  return nullptr;
}

const Dictionary* DictionarySet::Find(uint32_t id) const {
  const Dictionary* const found = FindHere(id);
  if (found != nullptr || load_ == nullptr) return found;
  MutexLock lock(&mutex_);
  // Another thread may have come first.
  if (const Dictionary* const since = FindHere(id)) return since;
  std::unique_ptr<const Dictionary> loaded = load_(id);
  return loaded == nullptr ? nullptr : AddLocked(std::move(loaded));
}

const Dictionary* DictionarySet::Add(
    std::unique_ptr<const Dictionary> dictionary) {
  MutexLock lock(&mutex_);
  return AddLocked(std::move(dictionary));
}

const Dictionary* DictionarySet::AddLocked(
    std::unique_ptr<const Dictionary> dictionary) const {
  const size_t size = size_.load(std::memory_order_relaxed);
  if (size == all_.size() || FindHere(dictionary->id()) != nullptr) {
    return nullptr;
  }
  all_[size] = std::move(dictionary);
  size_.store(size + 1, std::memory_order_release);
  return all_[size].get();
}

std::vector<const Dictionary*> DictionarySet::All() const {
  std::vector<const Dictionary*> all;
  const size_t size = size_.load(std::memory_order_acquire);
  for (size_t i = 0; i < size; ++i) all.push_back(all_[i].get());
  return all;
}

}  // namespace stave
