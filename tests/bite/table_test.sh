#!/usr/bin/env bash
# Holds the table of sites in tests/README.md to the list in
# engine/base/durability_site.h.
set -euo pipefail

listed=$(tests/bite/sites)
(($(wc -l <<<"$listed") > 50)) || { echo "only $listed"; exit 1; }
diff <(printf '%s\n' "$listed") \
  <(sed -nE 's/^\| `(k[A-Za-z]+)` \| ([^|]*) \| [^|]* \|$/\1\t\2/p' tests/README.md) ||
  { echo "the table in tests/README.md (>) is not the list of sites (<)"; exit 1; }
