#include "tests/damage/damages.h"

#include <algorithm>
#include <iterator>
#include <random>
#include <string_view>
#include <utility>
#include <vector>

#include "absl/strings/str_cat.h"
#include "absl/strings/str_format.h"

namespace stave {
namespace {

constexpr size_t kSectorBytes = 512;

class Damager {
 public:
  Damager(const StoreImage& image, const StoreImage& other,
          const VisitDamaged& visit)
      : image_(image), other_(other), visit_(visit), files_(image.files) {}

  void Run() {
    for (auto& [name, bytes] : files_) {
      if (name == "LOCK") continue;
      WrongBytes(name, &bytes);
      Truncations(name, &bytes);
      for (size_t size = kSectorBytes; size <= 8 * kSectorBytes; size *= 8) {
        ZeroedParts(name, &bytes, size);
        ExchangedParts(name, &bytes, size);
      }
    }
    MissingFiles();
    ExchangedFiles();
    OldFiles();
    OtherStoresFiles();
  }

 private:
  // Hands the files on if they are not as they should be, and mends `bytes`.
  void Visit(const std::string& what, const std::string& name,
             std::string* bytes) {
    const std::string& right = image_.files.at(name);
    if (*bytes == right) return;
    visit_(what, files_);
    *bytes = right;
  }

  void WrongBytes(const std::string& name, std::string* bytes) {
    for (size_t at = 0; at < bytes->size(); ++at) {
      const char right = (*bytes)[at];
      const auto set = [&](char wrong) {
        if (wrong == right) return;
        (*bytes)[at] = wrong;
        visit_(absl::StrFormat("%s@%d^%02x", name, at,
                               static_cast<uint8_t>(wrong ^ right)),
               files_);
        (*bytes)[at] = right;
      };
      for (int bit = 0; bit < 8; ++bit) {
        set(static_cast<char>(right ^ (1 << bit)));
      }
      set('\0');
      set('\xff');
    }
  }

  void Truncations(const std::string& name, std::string* bytes) {
    for (size_t size = bytes->size(); size-- > 0;) {
      bytes->resize(size);
      visit_(absl::StrCat(name, "-cut-to-", size), files_);
    }
    *bytes = image_.files.at(name);
  }

  void ZeroedParts(const std::string& name, std::string* bytes, size_t part) {
    for (size_t at = 0; at < bytes->size(); at += part) {
      const size_t size = std::min(part, bytes->size() - at);
      std::fill_n(bytes->begin() + static_cast<ptrdiff_t>(at), size, '\0');
      Visit(absl::StrCat(name, "@", at, "-zeros-", size), name, bytes);
    }
  }

  void ExchangedParts(const std::string& name, std::string* bytes,
                      size_t part) {
    for (size_t a = 0; a + part <= bytes->size(); a += part) {
      for (size_t b = a + part; b + part <= bytes->size(); b += part) {
        std::swap_ranges(bytes->begin() + static_cast<ptrdiff_t>(a),
                         bytes->begin() + static_cast<ptrdiff_t>(a + part),
                         bytes->begin() + static_cast<ptrdiff_t>(b));
        Visit(absl::StrCat(name, "@", a, "-exchanged-with-", b, "-", part),
              name, bytes);
      }
    }
  }

  void MissingFiles() {
    for (const auto& [name, bytes] : image_.files) {
      files_.erase(name);
      visit_(absl::StrCat(name, "-missing"), files_);
      files_[name] = bytes;
    }
  }

  void ExchangedFiles() {
    for (auto a = files_.begin(); a != files_.end(); ++a) {
      for (auto b = std::next(a); b != files_.end(); ++b) {
        a->second.swap(b->second);
        visit_(absl::StrCat(a->first, "-exchanged-with-", b->first), files_);
        a->second.swap(b->second);
      }
    }
  }

  void OldFiles() {
    for (size_t i = 0; i < image_.old_files.size(); ++i) {
      const auto& [name, bytes] = image_.old_files[i];
      const auto found = files_.find(name);
      if (found == files_.end()) continue;  // It was removed for good.
      found->second = bytes;
      Visit(absl::StrCat(name, "-old-", i), name, &found->second);
    }
  }

  void OtherStoresFiles() {
    for (auto& [name, bytes] : files_) {
      const auto found = other_.files.find(name);
      if (found == other_.files.end() || name == "LOCK") continue;
      bytes = found->second;
      Visit(absl::StrCat(name, "-of-another-store"), name, &bytes);
    }
  }

  const StoreImage& image_;
  const StoreImage& other_;
  const VisitDamaged& visit_;
  DirectoryImage files_;
};

}  // namespace

void ForEachDamage(const StoreImage& image, const StoreImage& other,
                   const VisitDamaged& visit) {
  Damager(image, other, visit).Run();
}

void DamageAtRandom(const StoreImage& image, uint64_t seed,
                    const VisitDamaged& visit) {
  std::mt19937_64 random(seed);
  DirectoryImage files = image.files;
  const uint64_t count = 1 + random() % 3;
  for (uint64_t i = 0; i < count; ++i) {
    auto file = std::next(files.begin(),
                          static_cast<ptrdiff_t>(random() % files.size()));
    std::string& bytes = file->second;
    if (bytes.empty()) continue;
    const size_t at = random() % bytes.size();
    const size_t size = std::min<size_t>(
        1 + random() % (random() % 4 == 0 ? 600 : 16), bytes.size() - at);
    switch (random() % 5) {
      case 0:  // any bytes
        for (size_t j = 0; j < size; ++j) {
          bytes[at + j] = static_cast<char>(random());
        }
        break;
      case 1:
        bytes.replace(at, size, size, '\0');
        break;
      case 2:  // bytes from elsewhere in the file
        bytes.replace(at, size, bytes.substr(random() % bytes.size(), size));
        break;
      case 3:  // bytes in the place of others, which move
        bytes.erase(at / 8 * 8, size);
        break;
      case 4:
        bytes.resize(random() % 2 == 0 ? at : bytes.size() + size);
        break;
    }
  }
  if (files == image.files) return;
  visit(absl::StrCat("random-", seed), files);
}

}  // namespace stave
