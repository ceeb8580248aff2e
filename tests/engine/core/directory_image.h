#ifndef STAVE_TESTS_ENGINE_CORE_DIRECTORY_IMAGE_H_
#define STAVE_TESTS_ENGINE_CORE_DIRECTORY_IMAGE_H_

#include <cstddef>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace stave {

// All files of a directory, by name, with all their bytes.
using DirectoryImage = std::map<std::string, std::string>;

DirectoryImage ReadDirectory(const std::string& path);
// Makes the directory, which exists, hold exactly these files.
void WriteDirectory(const std::string& path, const DirectoryImage& image);

std::string ReadFile(const std::string& path);
void WriteFile(const std::string& path, const std::string& contents);
// Changes one bit of the byte at `offset`, which exists.
void FlipBit(const std::string& path, size_t offset);

// All files but hint files.
DirectoryImage WithoutHints(DirectoryImage image);
// Names of segment files, in the order of their ids.
std::vector<std::string> SegmentNames(const DirectoryImage& image);
// The name of the only manifest.
std::string ManifestName(const DirectoryImage& image);
// Lengths of all segment files together.
uint64_t BytesOfSegments(const DirectoryImage& image);

// What differs, by name and length, for messages; empty if nothing does.
std::string Difference(const DirectoryImage& before,
                       const DirectoryImage& after);

}  // namespace stave

#endif  // STAVE_TESTS_ENGINE_CORE_DIRECTORY_IMAGE_H_
