#include "engine/base/durability_site.h"

#ifdef STAVE_DURABILITY_SWITCH

#include <cstdio>
#include <cstdlib>
#include <string_view>

namespace stave {
namespace {

constexpr std::string_view kNames[] = {
#define STAVE_DURABILITY_SITE_NAME(name, rule, loss) #name,
    STAVE_DURABILITY_SITES(STAVE_DURABILITY_SITE_NAME)
#undef STAVE_DURABILITY_SITE_NAME
};

int FromEnvironment() {
  const char* const wanted = std::getenv("STAVE_TAKE_AWAY");
  if (wanted == nullptr || *wanted == '\0') return -1;
  int site = 0;
  for (const std::string_view name : kNames) {
    if (name == wanted) return site;
    ++site;
  }
  std::fprintf(stderr, "STAVE_TAKE_AWAY: there is no site %s\n", wanted);
  std::abort();
}

}  // namespace

const int taken_away_site = FromEnvironment();

}  // namespace stave

#endif  // STAVE_DURABILITY_SWITCH
