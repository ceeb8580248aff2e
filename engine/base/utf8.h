#ifndef STAVE_ENGINE_BASE_UTF8_H_
#define STAVE_ENGINE_BASE_UTF8_H_

#include <cstddef>
#include <string_view>

namespace stave {

// How many bytes the well-formed UTF-8 sequence at the front of `bytes` has:
// 1 to 4, or 0 where there is none. Table 3-7 of the Unicode standard says
// which sequences are well-formed.
size_t Utf8SequenceLength(std::string_view bytes);

// Whether all of `bytes` is well-formed UTF-8.
bool IsUtf8(std::string_view bytes);

// The first bytes of `text`, well-formed UTF-8: as many as end with a sequence
// and are at most `most`, which is 4 or more.
std::string_view Utf8Prefix(std::string_view text, size_t most);

// Whether `sequence`, one well-formed sequence, is a control character:
// U+0000 to U+001F and U+007F to U+009F. Terminals obey those, the last 32 of
// them in UTF-8 too.
bool IsControlCharacter(std::string_view sequence);

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_UTF8_H_
