#include "tests/engine/core/directory_image.h"

#include <filesystem>
#include <fstream>
#include <iterator>

#include "absl/strings/str_cat.h"
#include "gtest/gtest.h"

namespace stave {

std::string ReadFile(const std::string& path) {
  std::ifstream file(path, std::ios::binary);
  EXPECT_TRUE(file.is_open()) << path;
  return std::string(std::istreambuf_iterator<char>(file), {});
}

void WriteFile(const std::string& path, const std::string& contents) {
  std::ofstream file(path, std::ios::binary | std::ios::trunc);
  file.write(contents.data(), static_cast<std::streamsize>(contents.size()));
  file.close();
  EXPECT_TRUE(file.good()) << path;
}

void FlipBit(const std::string& path, size_t offset) {
  std::string bytes = ReadFile(path);
  ASSERT_LT(offset, bytes.size()) << path;
  bytes[offset] ^= 0x10;
  WriteFile(path, bytes);
}

DirectoryImage ReadDirectory(const std::string& path) {
  DirectoryImage image;
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    if (!entry.is_regular_file()) continue;
    image[entry.path().filename()] = ReadFile(entry.path());
  }
  return image;
}

void WriteDirectory(const std::string& path, const DirectoryImage& image) {
  for (const auto& entry : std::filesystem::directory_iterator(path)) {
    std::filesystem::remove_all(entry);
  }
  for (const auto& [name, bytes] : image) {
    WriteFile(absl::StrCat(path, "/", name), bytes);
  }
}

DirectoryImage WithoutHints(DirectoryImage image) {
  std::erase_if(image,
                [](const auto& file) { return file.first.ends_with(".hint"); });
  return image;
}

std::vector<std::string> SegmentNames(const DirectoryImage& image) {
  std::vector<std::string> names;
  for (const auto& [name, bytes] : image) {
    if (name.ends_with(".seg")) names.push_back(name);
  }
  return names;
}

std::string ManifestName(const DirectoryImage& image) {
  std::string found;
  for (const auto& [name, bytes] : image) {
    if (!name.starts_with("MANIFEST-")) continue;
    EXPECT_EQ(found, "");
    found = name;
  }
  EXPECT_NE(found, "");
  return found;
}

uint64_t BytesOfSegments(const DirectoryImage& image) {
  uint64_t bytes = 0;
  for (const std::string& name : SegmentNames(image)) {
    bytes += image.at(name).size();
  }
  return bytes;
}

std::string Difference(const DirectoryImage& before,
                       const DirectoryImage& after) {
  std::string text;
  for (const auto& [name, bytes] : before) {
    const auto found = after.find(name);
    if (found == after.end()) {
      absl::StrAppend(&text, name, " is gone; ");
    } else if (found->second != bytes) {
      absl::StrAppend(&text, name, " has other bytes: ", bytes.size(),
                      " before, ", found->second.size(), " after; ");
    }
  }
  for (const auto& [name, bytes] : after) {
    if (before.count(name) == 0) absl::StrAppend(&text, name, " is new; ");
  }
  return text;
}

}  // namespace stave
