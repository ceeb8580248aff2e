// Prints the durability sites, one a line: name, tab, what it protects, rule.

#include <cstdio>

#include "engine/base/durability_site.h"

int main() {
#define PRINT(name, rule, loss) std::puts(#name "\t" loss " (" rule ")");
  STAVE_DURABILITY_SITES(PRINT)
#undef PRINT
}
