#ifndef STAVE_ENGINE_BASE_JSON_TEXT_H_
#define STAVE_ENGINE_BASE_JSON_TEXT_H_

#include <string>
#include <string_view>

namespace stave {

// Appends "NAME":"BYTES", or where `bytes` are not UTF-8, so that no JSON
// string can hold them, "NAME_base64":"BYTES IN BASE64". Control characters
// are escaped, also those that JSON allows, for the terminal's sake.
void AppendJsonBytes(std::string_view name, std::string_view bytes,
                     std::string* json);

// Appends "TEXT" with the same escapes; `text` is UTF-8.
void AppendJsonString(std::string_view text, std::string* json);

// The same without the quotes: of a long text, one part after another.
void AppendJsonEscaped(std::string_view text, std::string* json);

std::string Base64(std::string_view bytes);

}  // namespace stave

#endif  // STAVE_ENGINE_BASE_JSON_TEXT_H_
