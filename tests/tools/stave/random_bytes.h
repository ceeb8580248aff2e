#ifndef STAVE_TESTS_TOOLS_STAVE_RANDOM_BYTES_H_
#define STAVE_TESTS_TOOLS_STAVE_RANDOM_BYTES_H_

#include <cstddef>
#include <random>
#include <string>
#include <string_view>

namespace stave::tool {

// For tests that try many inputs. Seeds are fixed; name them when a test
// fails, by SCOPED_TRACE or in the message.
class RandomBytes {
 public:
  explicit RandomBytes(unsigned seed) : engine_(seed) {}

  // From 0 to `most`.
  size_t Number(size_t most) {
    return std::uniform_int_distribution<size_t>(0, most)(engine_);
  }

  // So many bytes of `alphabet`, or without one, any bytes.
  std::string Text(size_t size, std::string_view alphabet = {}) {
    std::string text(size, '\0');
    for (char& byte : text) {
      byte = alphabet.empty() ? static_cast<char>(Number(255))
                              : alphabet[Number(alphabet.size() - 1)];
    }
    return text;
  }

  // `text` with a few bytes changed, left out or doubled.
  std::string Damaged(std::string text) {
    for (size_t changes = 1 + Number(3); changes > 0 && !text.empty();
         --changes) {
      const size_t place = Number(text.size() - 1);
      switch (Number(3)) {
        case 0:
          text[place] = static_cast<char>(Number(255));
          break;
        case 1:
          text.erase(place, 1 + Number(3));
          break;
        case 2:
          text.insert(place, text.substr(place, 1 + Number(7)));
          break;
        default:
          text.resize(place);
      }
    }
    return text;
  }

 private:
  std::mt19937_64 engine_;
};

}  // namespace stave::tool

#endif  // STAVE_TESTS_TOOLS_STAVE_RANDOM_BYTES_H_
