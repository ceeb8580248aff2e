"""The store from Python, by ctypes: a class that behaves like a dictionary.

    ./bazelw build -c opt //engine/c:libstave.so
    python3 examples/python/stave.py bazel-bin/engine/c/libstave.so

Keys and values are bytes. What the calls do is in engine/include/stave/c.h.
"""

import contextlib
import ctypes
import sys
import tempfile

OK, NOT_FOUND = 0, 1


class StaveError(Exception):
    """What the store refuses or can't do, in its own words."""


def load(path):
    """The shared library, with the types of what is called here."""
    library = ctypes.CDLL(path)
    code, handle, size = ctypes.c_int, ctypes.c_void_p, ctypes.c_size_t
    number, text = ctypes.c_int64, ctypes.c_char_p
    to = ctypes.POINTER
    for name, result, arguments in [
        ("last_error", text, []),
        ("free", None, [handle]),
        ("open", code, [text, handle, to(handle)]),
        ("close", code, [handle]),
        ("put", code, [handle, text, size, text, size, handle]),
        ("get", code, [handle, text, size, handle, to(handle), to(size)]),
        ("delete", code, [handle, text, size, handle, to(code)]),
        ("increment", code, [handle, text, size, number, handle, to(number)]),
        ("snapshot_new", handle, [handle]),
        ("snapshot_free", None, [handle]),
        ("read_options_new", handle, []),
        ("read_options_free", None, [handle]),
        ("read_options_set_snapshot", None, [handle, handle]),
        ("iterator_new", code, [handle, handle, to(handle)]),
        ("iterator_free", None, [handle]),
        ("iterator_seek_to_first", None, [handle]),
        ("iterator_next", None, [handle]),
        ("iterator_valid", ctypes.c_int, [handle]),
        ("iterator_key", handle, [handle, to(size)]),
        ("iterator_status", code, [handle]),
    ]:
        function = getattr(library, "stave_" + name)
        function.restype, function.argtypes = result, arguments
    return library


class Store:
    """`with Store(...)` closes it at the end."""

    def __init__(self, library, directory):
        self._stave = library
        self._store = ctypes.c_void_p()
        self._check(
            library.stave_open(
                directory.encode(), None, ctypes.byref(self._store)
            )
        )

    def __enter__(self):
        return self

    def __exit__(self, *_):
        store, self._store = self._store, None
        self._check(self._stave.stave_close(store))

    def __setitem__(self, key, value):
        self._check(
            self._stave.stave_put(
                self._store, key, len(key), value, len(value), None
            )
        )

    def __getitem__(self, key):
        return self.get_at(None, key)

    def __delitem__(self, key):
        existed = ctypes.c_int()
        self._check(
            self._stave.stave_delete(
                self._store, key, len(key), None, ctypes.byref(existed)
            )
        )
        if not existed.value:
            raise KeyError(key)

    def __iter__(self):
        iterator, size = ctypes.c_void_p(), ctypes.c_size_t()
        self._check(
            self._stave.stave_iterator_new(
                self._store, None, ctypes.byref(iterator)
            )
        )
        try:
            self._stave.stave_iterator_seek_to_first(iterator)
            while self._stave.stave_iterator_valid(iterator):
                key = self._stave.stave_iterator_key(
                    iterator, ctypes.byref(size)
                )
                yield ctypes.string_at(key, size.value)
                self._stave.stave_iterator_next(iterator)
            self._check(self._stave.stave_iterator_status(iterator))
        finally:
            self._stave.stave_iterator_free(iterator)

    def increment(self, key, delta=1):
        total = ctypes.c_int64()
        self._check(
            self._stave.stave_increment(
                self._store, key, len(key), delta, None, ctypes.byref(total)
            )
        )
        return total.value

    @contextlib.contextmanager
    def snapshot(self):
        """What get_at needs to read the store as it is now."""
        then = self._stave.stave_read_options_new()
        now = self._stave.stave_snapshot_new(self._store)
        self._stave.stave_read_options_set_snapshot(then, now)
        self._stave.stave_snapshot_free(now)
        try:
            yield then
        finally:
            self._stave.stave_read_options_free(then)

    def get_at(self, snapshot, key):
        value, size = ctypes.c_void_p(), ctypes.c_size_t()
        code = self._stave.stave_get(
            self._store,
            key,
            len(key),
            snapshot,
            ctypes.byref(value),
            ctypes.byref(size),
        )
        if code == NOT_FOUND:
            raise KeyError(key)
        self._check(code)
        try:
            return ctypes.string_at(value, size.value)
        finally:
            self._stave.stave_free(value)

    def _check(self, code):
        if code != OK:
            message = self._stave.stave_last_error()
            raise StaveError(message.decode(errors="replace"))


def main(path):
    library = load(path)
    with tempfile.TemporaryDirectory() as directory:
        with Store(library, directory + "/store") as store:
            store[b"user:1"] = b"Alice"
            store[b"user:2"] = b"Bob \x00\xff"
            del store[b"user:1"]
        with Store(library, directory + "/store") as store:
            for key in store:
                print(key, store[key])
            try:
                store[b"user:1"]
            except KeyError as missing:
                print("missing", missing)
            store.increment(b"visits")
            print("visits", store.increment(b"visits", 2))
            with store.snapshot() as then:
                store[b"user:2"] = b"Bobby"
                print("as it was", store.get_at(then, b"user:2"))
        try:
            Store(library, directory + "/a/b/c")
        except StaveError as error:
            print("refused", "No such file" in str(error))


if __name__ == "__main__":
    main(sys.argv[1])
