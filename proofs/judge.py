"""Judges a changed function: is it still proved? Used by proofs/mutate and `proofs/prove --faults`.

The gate spends minutes on a goal that is false: four provers, each up to its full limit. Here

  - Frama-C writes the goals and proves none; one whose text was proved before is not asked again;
  - a goal may take FACTOR times the steps that the goal of the same name takes in the function as
    it stands, at least FLOOR, by the prover that proves that one, then FLOOR by `named`;
  - the goals that turned red for this function before come first, and the first red one ends it.

So `red` means: a goal is not proved within limits in which all goals of the function as it stands
are. `confirm` asks the gate's own provers, with the gate's limits, for that goal. Nothing is
proved here that the gate would not prove: limits are only smaller.
"""
import hashlib
import json
import os
import re
import shutil
import subprocess

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROVE = os.path.join(ROOT, "build", "prove")
CACHE = os.path.join(PROVE, "cache")
WORK = os.path.join(ROOT, "build", "judge")
OUT = os.path.join(WORK, "goals")
NOTHING = os.path.join(WORK, "nothing")  # a cache without entries: Frama-C then writes every goal
FRAMA_C = ["frama-c", "-c11", "-machdep", "gcc_x86_64", "-wp", "-wp-rte", "-warn-unsigned-downcast"]
FACTOR = 2
FLOOR = {"Z3": 2000000, "CVC4": 40000}  # steps: a second or two
TASKS = 20  # goals that Frama-C has under way; none has a prover
BACKSTOP_SECONDS = 3000  # a process may be stopped for a while: steps end it, not time
HOT = 6  # names of goals that are tried first


def rows(path):
    with open(os.path.join(ROOT, path), encoding="utf-8") as f:
        return [w for w in (line.split("#")[0].split() for line in f) if w]


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def provers():
    """{name as in WP's results: (driver, command)}, as proofs/prove has configured them."""
    found = {}
    with open(os.path.join(PROVE, "why3.conf"), encoding="utf-8") as f:
        for block in re.findall(r"^\[prover\]\n((?:\w+ = .*\n?)*)", f.read(), re.M):
            is_ = dict(re.findall(r'^(\w+) = "?(.*?)"?$', block, re.M))
            name = ":".join(w for w in (is_["name"], is_["version"], is_["alternative"]) if w)
            found[name] = (is_["driver"], is_["command"])
    return found


def name_in_contract(goal):
    """typed_merge_call_put_requires_free_2 -> free: what -wp-prop calls it; "" if it has no name."""
    m = re.search(r"_(?:requires|ensures|assert|established|preserved)_(?!rte_)(\w+?)(?:_\d+)?$", goal)
    return m.group(1) if m else ""


class Judge:
    """Of functions in a copy of the tree, against what is proved of them in this one."""

    def __init__(self, tree):
        if not os.path.isdir(CACHE):
            raise SystemExit("judge: run `make prove` first: what is judged starts from its results")
        os.environ["WHY3CONFIG"] = os.path.join(PROVE, "why3.conf")
        os.makedirs(NOTHING, exist_ok=True)
        self.tree, self.provers = tree, provers()
        self.named = next(p for p in self.provers if p.endswith(":named"))
        self.wraps = {row[1] for row in rows("proofs/PROVED") if "wraps" in row[2:]}
        self.file = {row[1]: row[0] for row in rows("proofs/PROVED")}
        self.trusted = {}
        for row in rows("proofs/TRUSTED"):
            self.trusted.setdefault(row[0], []).append(row[1])
        self.proved = set(lines_of(os.path.join(WORK, "proved")))
        self.hot, self.base = {}, {}  # by function: names that turned red, the last one first; baseline()

    # ---- Frama-C -----------------------------------------------------------------------------------

    def frama_c(self, root, function, asked, only=(), goals=OUT, extra=()):
        """Frama-C's lines, one after the other; the goals it writes go to OUT."""
        shutil.rmtree(goals, ignore_errors=True)
        props = ["-" + clause for clause in self.trusted.get(function, ())] + list(only)
        command = FRAMA_C + ["-wp-prover", ",".join(asked), "-wp-out", goals,
                             "-cpp-extra-args=-I" + os.path.join(root, "core"), "-wp-fct", function]
        command += list(extra) or ["-wp-cache", "offline", "-wp-cache-dir", NOTHING,
                                   "-wp-par", str(TASKS)]
        command += [] if function in self.wraps else ["-warn-unsigned-overflow"]
        command += ["-wp-prop=" + ",".join(props)] if props else []
        process = subprocess.Popen(command + [os.path.join(root, self.file[function])], cwd=PROVE,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                                   env=dict(os.environ, PWD=PROVE))
        try:
            yield from process.stdout
        finally:
            process.terminate()
            process.wait()
            process.stdout.close()

    def text(self, goal, prover):
        """The goal as the prover reads it, less the line that names the prover."""
        path = os.path.join(OUT, "typed", "%s_Why3_%s.why" % (
            re.sub(r"^typed_", "", goal), re.sub(r"\W", "_", prover)))
        with open(path, encoding="utf-8") as f:
            return f.read().split("\n", 1)[1]

    def cached(self, text, prover):
        """Steps the prover took for it before; None: it is not known to prove it."""
        head = "(* WP Task for Prover %s *)\n" % prover.replace(":", ",")
        name = hashlib.md5((head + text).encode()).hexdigest() + ".json"
        path = os.path.join(CACHE, name)
        if os.path.exists(path):
            answer = "\n".join(lines_of(path))  # not quite JSON: WP writes 1. for a number
            if '"verdict": "valid"' in answer and '"%s"' % prover in answer:
                return int((re.findall(r'"steps": (\d+)', answer) or [0])[0])
        return None

    # ---- The function as it stands -------------------------------------------------------------------

    def baseline(self, function):
        """How each goal of the function as it stands is proved: {goal: [prover, steps]}."""
        if function not in self.base:
            stamp = self.stamp(function)
            path = os.path.join(WORK, "baseline", function)
            known = json.loads("\n".join(lines_of(path)) or "{}")
            if known.get("stamp") != stamp:
                known = dict(self.measure(function), stamp=stamp)
                os.makedirs(os.path.dirname(path), exist_ok=True)
                with open(path, "w", encoding="utf-8") as f:
                    json.dump(known, f)
            self.base[function] = known
        return self.base[function]

    def stamp(self, function):
        folder = os.path.join(ROOT, "core")
        names = [n for n in sorted(os.listdir(folder)) if n.endswith(".h")]
        digest = hashlib.sha256(open(os.path.join(PROVE, "why3.conf"), "rb").read())
        for path in [os.path.join(folder, n) for n in names] + [os.path.join(ROOT, self.file[function])]:
            with open(path, "rb") as f:
                digest.update(f.read())
        return digest.hexdigest()

    def measure(self, function):
        family = [p for p in self.provers if self.provers[p][0] == self.provers[self.named][0]]
        others = [p for p in self.provers if p not in family]
        found, left, warnings, claimed = {}, [], 0, None
        for line in self.frama_c(ROOT, function, [self.named]):
            goal, open_ = self.read(line)
            claimed = self.total(line) or claimed
            warnings += self.warns(line)
            if goal and open_:
                text = self.text(goal, self.named)
                ways = [(self.cached(text, p), p) for p in family if self.cached(text, p) is not None]
                if ways:
                    found[goal] = [min(ways)[1], min(ways)[0]]
                else:
                    left.append(goal)
        if left:
            for line in self.frama_c(ROOT, function, others):
                goal, _ = self.read(line)
                for p in others if goal in left else ():
                    steps = self.cached(self.text(goal, p), p)
                    if steps is not None and goal in left:
                        found[goal] = [p, steps]
                        left.remove(goal)
        if left or claimed is None:
            raise SystemExit("judge: %s as it stands is not proved in build/prove/cache: %s; run `make prove`"
                             % (function, ", ".join(left) or "frama-c fails"))
        return {"goals": found, "count": claimed, "warnings": warnings}

    # ---- The function as it was changed ----------------------------------------------------------------

    @staticmethod
    def read(line):
        """(goal, whether it is open) of a line of Frama-C."""
        m = re.match(r"\[wp\] \[[^\]]+\] Goal (\w+)( : (\w+))?", line)
        return (m.group(1), m.group(3) != "Valid") if m else (None, False)

    @staticmethod
    def total(line):
        m = re.match(r"\[wp\] Proved goals: +\d+ / (\d+)", line)
        return int(m.group(1)) if m else None

    @staticmethod
    def warns(line):
        return bool(re.search(r"\bWarning\b|User Error|[Aa]borted", line))

    def ask(self, prover, goal, text, steps):
        """Whether the prover proves it within so many steps."""
        path = os.path.join(WORK, "goal.smt2")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        command = re.sub(r"\brlimit=\d+", "rlimit=%d" % steps, self.provers[prover][1])
        command = command.replace("%t", str(BACKSTOP_SECONDS)).replace("%f", path)
        answer = subprocess.run(command.split(), stdout=subprocess.PIPE, stderr=subprocess.DEVNULL,
                                text=True)
        return "unsat" in answer.stdout.splitlines()

    def holds(self, goal, base, asked):
        """Whether an open goal is proved: already, or within the limits."""
        own = base["goals"].get(goal)
        most = max([steps for p, steps in base["goals"].values() if p.startswith("Z3")] or [0])
        turns = [own] if own else [(self.named.rpartition(":")[0], most)]
        if turns[0][0] != self.named:
            turns.append((self.named, 0 if own else most))
        for prover, steps in turns:
            driver = self.provers[prover][0]
            text = self.text(goal, next(p for p in asked if self.provers[p][0] == driver))
            digest = hashlib.md5(text.encode()).hexdigest()
            if digest in self.proved or self.cached(text, prover) is not None:
                return True
            limit = max(FACTOR * steps, FLOOR[prover.split(":")[0]])
            if self.ask(prover, goal, text, limit):
                self.proved.add(digest)
                with open(os.path.join(WORK, "proved"), "a", encoding="utf-8") as f:
                    f.write(digest + "\n")
                return True
        return False

    def round(self, function, base, only):
        """(verdict, reason) of the goals named in `only`, in that order; () is all."""
        drivers = {self.provers[self.named][0]: self.named}
        for prover, _ in base["goals"].values():
            drivers.setdefault(self.provers[prover][0], prover)
        asked, warnings, claimed, problem, waiting = list(drivers.values()), 0, None, "", []
        for line in self.frama_c(self.tree, function, asked, only):
            goal, open_ = self.read(line)
            claimed = self.total(line) or claimed
            warnings += self.warns(line)
            problem = line.strip() if re.search("syntax error|User Error", line) else problem
            if goal and open_ and only:
                waiting.append(goal)
            elif goal and open_ and not self.holds(goal, base, asked):
                return self.red(function, goal)
        place = lambda goal: (only + (name_in_contract(goal),)).index(name_in_contract(goal))
        for goal in sorted(waiting, key=place):
            if not self.holds(goal, base, asked):
                return self.red(function, goal)
        if only:
            return "", ""
        if problem or claimed is None:
            return "invalid", problem or "frama-c fails"
        if warnings > base["warnings"]:
            return "red", "frama-c warns"
        if claimed != base["count"]:
            return "ledger", "%d goals, not %d" % (claimed, base["count"])
        return "survived", ""

    def red(self, function, goal):
        """The verdict; the name of the goal is tried first from now on."""
        names, name = self.hot.setdefault(function, []), name_in_contract(goal)
        if name:
            names[:] = ([name] + [n for n in names if n != name])[:HOT]
        return "red", goal

    def judge(self, function):
        """(verdict, goal or reason): red, ledger, survived or invalid."""
        base = self.baseline(function)
        if self.hot.get(function) and function not in self.trusted:
            verdict = self.round(function, base, tuple(self.hot[function]))
            if verdict[0]:
                return verdict
        return self.round(function, base, ())

    def confirm(self, function, goal):
        """Whether the gate's provers, with the gate's limits, leave the goal open too."""
        name = name_in_contract(goal)
        only = [name] if name and function not in self.trusted else []
        extra = ["-wp-cache", "update", "-wp-cache-dir", os.path.join(WORK, "cache"), "-wp-par", "1",
                 "-wp-timeout", str(BACKSTOP_SECONDS)]
        for line in self.frama_c(self.tree, function, list(self.provers), only, extra=extra):
            found, open_ = self.read(line)
            if found == goal:
                return open_
        return True
