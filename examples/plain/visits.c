/* Counts how often it was run, in a store of its own, as examples/embed does,
   in C and without Bazel: README.md says how it is built. */

#include <inttypes.h>
#include <stdio.h>

#include "stave/c.h"

static int fail(void) {
  fprintf(stderr, "%s\n", stave_last_error());
  return 1;
}

int main(int argc, char** argv) {
  stave_store* store = NULL;
  int64_t visits = 0;
  int failed;
  if (argc != 2) {
    fprintf(stderr, "usage: visits DIRECTORY\n");
    return 2;
  }
  if (stave_open(argv[1], NULL, &store) != STAVE_OK) return fail();
  failed = stave_increment(store, "visits", 6, 1, NULL, &visits) != STAVE_OK &&
           fail();
  /* Closes it, and brings the count to the device. */
  if (stave_close(store) != STAVE_OK && !failed) failed = fail();
  if (!failed) printf("visit %" PRId64 "\n", visits);
  return failed;
}
