#!/usr/bin/env bash
# Holds libstave.so's names to c.h, and runs examples/python/stave.py with it.
set -euo pipefail

readonly library=engine/c/libstave.so

declared_names() {
  grep -o '\bstave_[a-z_]*(' engine/include/stave/c.h | tr -d '(' | sort -u
}

exported_names() { nm -D --defined-only "$library" | awk '{ print $3 }' | sort; }

[[ $(declared_names | wc -l) -gt 50 ]]
diff <(declared_names) <(exported_names)

export TMPDIR=$TEST_TMPDIR
diff <(python3 examples/python/stave.py "$library") - <<'EXPECTED'
b'user:2' b'Bob \x00\xff'
missing b'user:1'
visits 3
as it was b'Bob \x00\xff'
refused True
EXPECTED
