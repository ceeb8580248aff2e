#ifndef STAVE_TESTS_FUZZ_REPAIR_H_
#define STAVE_TESTS_FUZZ_REPAIR_H_

#include <cstdint>
#include <string>

namespace stave {

// No mutation gets past a checksum. These make checksums right, of whatever
// the bytes are, so that what lies behind is tried too: as a forger could.

// Makes the header of a segment right as far as its id and salt stand there,
// and then its records: checksums, and where `sequences`, sequences too.
void RepairSegment(bool sequences, std::string* bytes);

// Makes right the header of the record at `offset`, of a segment of this
// seed, and its body. Returns where the next one would stand, 0 for nowhere.
uint64_t RepairRecord(uint64_t offset, uint32_t segment_seed,
                      std::string* bytes);

// Makes right a manifest's header and edits, whose sizes it believes.
void RepairManifest(uint64_t number, std::string* bytes);

// Makes right the checksums of a keydir checkpoint, whose sizes it believes.
void RepairCheckpoint(std::string* bytes);

// Makes right the checksum of a dictionary's file.
void RepairDictionary(std::string* bytes);

}  // namespace stave

#endif  // STAVE_TESTS_FUZZ_REPAIR_H_
