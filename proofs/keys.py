"""What the goals of a function are made from, as one key. A function whose key is the one that stands beside its
goals in proofs/expected/goals has the goals that were proved when that was written: `prove --changed` leaves it out.

WP makes them from the function's body, from what the unit declares, predicates and contracts among it, and from how
it is called; the body of another function is never looked at. So a key covers

    the settings      how Frama-C and the provers are called, and their versions
    the unit          the file and the core headers it includes, less the bodies of proved functions, comments, and
                      constants that nothing there names (config.h has those of all of core/)
    the function      its body, and what its line in proofs/PROVED says

and a changed body gives one function another key, a changed contract or predicate all functions of its units.
"""
import collections
import functools
import hashlib
import os
import re
import sys

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))


def unit_of(file):
    """The file and the core headers it includes, itself first."""
    found, waiting = [], [file]
    while waiting:
        path = waiting.pop(0)
        if path in found or not os.path.exists(os.path.join(ROOT, path)):
            continue
        found.append(path)
        with open(os.path.join(ROOT, path), encoding="utf-8") as f:
            waiting += [os.path.join("core", name) for name in re.findall(r'^#include "([^"]+)"', f.read(), re.M)]
    return found


def body_of(text, name):
    """Span of a function's body, without its braces."""
    for m in re.finditer(r"\b%s\s*\([^;{}]*\)\s*\{" % name, text):
        depth = 1
        for brace in re.finditer(r"[{}]", text[m.end():]):
            depth += 1 if brace.group() == "{" else -1
            if depth == 0:
                return m.end(), m.end() + brace.start()
    return None


@functools.lru_cache(maxsize=None)
def taken_apart(text, names):
    """The text without the bodies of those functions, and the bodies by name."""
    spans = sorted((span, name) for name in names for span in [body_of(text, name)] if span)
    rest, at = [], 0
    for (start, end), _ in spans:
        rest.append(text[at:start])
        at = end
    return "".join(rest) + text[at:], {name: text[start:end] for (start, end), name in spans}


CONSTANT = re.compile(r"^#ifndef (?P<guarded>\w+) *\n#define (?P=guarded) .*[^\\\n]\n#endif *\n"
                      r"|^#define (?P<plain>\w+) .*[^\\\n]\n", re.M)


def less_unnamed(texts):
    """{path: text} of a unit without the #define of constants named nowhere else in it: they mean nothing to it."""
    times = collections.Counter(word for text in texts.values() for word in re.findall(r"\w+", text))
    def kept(m):
        name = m["guarded"] or m["plain"]
        return m[0] if times[name] > re.findall(r"\w+", m[0]).count(name) else ""
    return {path: CONSTANT.sub(kept, text) for path, text in texts.items()}


def keys_of(rows, text_of, settings):
    """{function: key} of rows of proofs/PROVED. `text_of(path)`: a file's text without comments."""
    names = frozenset(row[1] for row in rows)
    units = {row[0]: sorted(unit_of(row[0])) for row in rows}
    texts = {file: less_unnamed({path: text_of(path) for path in unit}) for file, unit in units.items()}
    apart = {(file, path): taken_apart(text, names) for file, unit in texts.items() for path, text in unit.items()}
    keys = {}
    for file, function, *flags in rows:
        parts = [settings, " ".join([file, function] + flags)]
        for path in units[file]:
            rest, bodies = apart[file, path]
            parts += [path, rest, bodies.get(function, "")]
        keys[function] = hashlib.sha256("\0".join(parts).encode()).hexdigest()[:16]
    return keys


# ---- The test of it: proofs/keys.py ---------------------------------------------------------------


def planted(gate, rows, where, change):
    """Functions that another key is found for when `change` is made to the text of the file `where`."""
    plain = lambda path: gate.without_comments(gate.read(path))
    text = lambda path: change(plain(path)) if path == where else plain(path)
    before, after = (keys_of(rows, of, "") for of in (plain, text))
    return {name for name in before if before[name] != after[name]}


def self_test():
    """A fault in a body changes the key of that function alone, one in a contract those of all units."""
    import judge
    gate = judge.gate()
    rows = gate.table("proofs/PROVED")
    passed = failed = 0
    for path in gate.P_FILES:
        text = gate.without_comments(gate.read(path))
        function = next((row[1] for row in rows if body_of(text, row[1])), None)
        within = {row[1] for row in rows if path in unit_of(row[0])}
        cases = [("all functions of its units", lambda t: t + "\n//@ predicate planted = 1 == 0;\n", within)]
        if function:
            end = body_of(text, function)[1]
            cases.append((function, lambda t: t[:end] + "return;" + t[end:], {function}))
        for name, change, expected in cases:
            found = planted(gate, rows, path, change)
            good = found == expected
            print("%s planted in %s: %d keys change%s" % (name, path, len(found), "" if good else ", expected %d" % len(expected)))
            passed, failed = passed + good, failed + (not good)
    for constant, number in (("AHEAD_GRANULES", 0), ("CHUNK_MIN_GRANULES", len(rows))):
        found = planted(gate, rows, "core/config.h", lambda t: re.sub(r"(#define %s) .*" % constant, r"\1 77u", t))
        print("%s made 77: %d keys change" % (constant, len(found)))
        passed, failed = passed + (len(found) == number), failed + (len(found) != number)
    print("%d passed, %d failed" % (passed, failed))
    return 1 if failed else 0


if __name__ == "__main__":
    sys.dont_write_bytecode = True
    sys.exit(self_test())
