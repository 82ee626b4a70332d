"""The trials of planted faults and the table they are kept in, fuzz/mutants/RESULTS.md. The table is
the record: each row lists what every engine seed gave, so that a run which was killed goes on from
what it wrote. Used by fuzz/negative alone."""
import math
import os
import re
import statistics

KINDS = ("guided", "aimed", "plain")


class Trial:
    """One seed's search: the seconds it took, infinite when `limit` seconds did not suffice."""

    def __init__(self, seconds, limit):
        self.seconds, self.limit = seconds, limit

    def found(self):
        return self.seconds < math.inf

    def __str__(self):
        return f"{self.seconds:.1f}" if self.found() else f">{self.limit:.0f}"

    @staticmethod
    def read(text):
        if text.startswith(">"):
            return Trial(math.inf, float(text[1:]))
        return Trial(float(text), float(text))


def median(trials):
    return statistics.median(t.seconds for t in trials) if trials else math.inf


def next_trial(trials, seeds, limit):
    """(which seed's trial, its limit) that the median of `seeds` still needs; None when it is known.
    Once most of them have found the fault, the others are sought no longer than could lower the
    median; once most have missed it at the full limit, it is a miss."""
    most = seeds // 2 + 1
    found = sorted(t.seconds for t in trials[:seeds] if t.found())
    missed = sum(not t.found() and t.limit >= limit for t in trials[:seeds])
    if missed >= seeds + 1 - most:
        return None
    if len(found) >= most:
        limit = max(1, math.ceil(found[most - 1]))
    for n in range(seeds):
        if n >= len(trials) or (not trials[n].found() and trials[n].limit < limit):
            return n, limit
    return None


class Row:
    """What seeking one fault gave so far."""

    def __init__(self, name):
        self.name, self.fault, self.target, self.oracle = name, "", "", "-"
        self.trials = {kind: [] for kind in KINDS}

    def found(self, kind="guided"):
        return median(self.trials[kind]) < math.inf

    def shown(self, kind):
        trials = self.trials[kind]
        if not trials:
            return "-"
        middle = f"{median(trials):.1f} s" if self.found(kind) else "no"
        return f"{middle} ({' '.join(map(str, trials))})"

    def __str__(self):
        cells = (self.name, self.fault, self.target, self.oracle, *map(self.shown, KINDS))
        return "| " + " | ".join(cells) + " |"

    @staticmethod
    def read(line):
        cells = [c.strip() for c in line.strip().strip("|").split(" | ")]
        if len(cells) != 4 + len(KINDS):
            return None
        row = Row(cells[0])
        row.fault, row.target, row.oracle = cells[1:4]
        for kind, cell in zip(KINDS, cells[4:]):
            times = re.search(r"\(([^()]*)\)$", cell)
            row.trials[kind] = [Trial.read(t) for t in times.group(1).split()] if times else []
        return row


HEAD = """# Planted faults

Written by `make mutants`; see `fuzz/negative --help`. Each fault of this folder is planted in a copy
of the core and sought with several engine seeds. Numbers are seconds of processor time of one core,
start of the program included, so that what else the machine did counts little: the median, then
each seed's, `>N` where N seconds did not suffice. Once the median cannot change for the better,
the remaining seeds are left out or sought no longer than it. Only what repeats when its input
runs again counts as found.

*found*: by libFuzzer from the corpus in git without its aimed seeds, those that were written with a
planted fault in mind (`AIMED` in `fuzz/negative`). *aimed*: from the whole corpus, tried where the
former fails. *plain*: by uniformly random bytes without corpus, mutator and feedback: the
baseline.

| fault | what it plants | target | oracle | found | aimed | plain |
| --- | --- | --- | --- | --- | --- | --- |
"""


def read_table(path, names):
    """The rows of the table by name, of faults that still exist."""
    if not os.path.exists(path):
        return {}
    with open(path, encoding="utf-8") as f:
        rows = [Row.read(line) for line in f if line.startswith("| ")]
    return {row.name: row for row in rows if row is not None and row.name in names}


def share(rows, kind):
    tried = [r for r in rows if r.trials[kind]]
    return f"{sum(r.found(kind) for r in tried)} of {len(tried)}"


def summary(rows):
    text = ""
    for what, chosen in (("Sequential faults", [r for r in rows if not r.name.startswith("conc-")]),
                         ("Faults between threads", [r for r in rows
                                                     if r.name.startswith("conc-")])):
        if chosen:
            fewest = min(len(r.trials["guided"]) for r in chosen)
            text += (f"{what}: found {share(chosen, 'guided')} (each sought with {fewest} seeds or "
                     f"more), plain {share(chosen, 'plain')}.\n")
    return text


def write_table(path, rows, why, last):
    """rows: by name; why(name): the reason a fault survives; last: a line on the last run."""
    ordered = [rows[name] for name in sorted(rows)]
    missed = [r for r in ordered if r.trials["guided"] and not r.found()]
    with open(path + ".new", "w", encoding="utf-8") as f:
        f.write(HEAD + "".join(f"{r}\n" for r in ordered))
        f.write(f"\n{summary(ordered)}{last}\n")
        f.write("\n## What survives\n\n" if missed else "\nNone survives.\n")
        for r in missed:
            longest = max(t.limit for t in r.trials["guided"])
            f.write(f"* **{r.name}** (sought for {longest:.0f} s): {why(r.name)}\n")
    os.replace(path + ".new", path)  # a run that is killed leaves a whole table
