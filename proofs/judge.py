"""Judges a changed function: is it still proved? Used by proofs/mutate and `proofs/prove --faults`.

The gate spends minutes on a goal that is false: four provers, each up to its full limit. Here

  - Frama-C writes the goals and proves none; one whose text was proved before is not asked again;
  - a goal may take FLOOR steps of `named`, then FACTOR times the steps that the goal of the same name
    takes in the function as it stands, by the prover that proves that one;
  - the goals that turned red for this function before come first, and the first red one ends it.

So `red` means: a goal is not proved within limits in which all goals of the function as it stands
are. `confirm` asks the gate's own provers, with the gate's limits, for that goal. Nothing is
proved here that the gate would not prove: limits are only smaller.
"""
import hashlib
import importlib.machinery
import json
import os
import re
import shutil
import subprocess
import tempfile
import types

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
PROVE = os.path.join(ROOT, "build", "prove")
CACHE = os.path.join(PROVE, "cache")
WORK = os.path.join(ROOT, "build", "judge")
NOTHING = os.path.join(WORK, "nothing")  # a cache without entries: Frama-C then writes every goal
FACTOR = 2
FLOOR = {"Z3": 2000000, "CVC4": 40000}  # steps: a second or two
TASKS = 20  # goals that Frama-C has under way; none has a prover
BACKSTOP_SECONDS = 3000  # a process may be stopped for a while: steps end it, not time
HOT = 6  # names of goals that are tried first


def gate():
    """proofs/prove as a module: how it calls Frama-C is how a goal gets the text it has there."""
    module = types.ModuleType("prove")
    module.__file__ = os.path.join(ROOT, "proofs", "prove")
    importlib.machinery.SourceFileLoader("prove", module.__file__).exec_module(module)
    return module


def lines_of(path):
    if not os.path.exists(path):
        return []
    with open(path, encoding="utf-8") as f:
        return f.read().splitlines()


def provers():
    """{name as in WP's results: (driver, command)} of those that prove, as proofs/prove has configured them."""
    found = {}
    with open(os.path.join(PROVE, "why3.conf"), encoding="utf-8") as f:
        for block in re.findall(r"^\[prover\]\n((?:\w+ = .*\n?)*)", f.read(), re.M):
            is_ = dict(re.findall(r'^(\w+) = "?(.*?)"?$', block, re.M))
            name = ":".join(w for w in (is_["name"], is_["version"], is_["alternative"]) if w)
            if is_["alternative"] != "smoke":
                found[name] = (is_["driver"], is_["command"])
    return found


def selector(goal):
    """typed_merge_call_put_requires_free_2 -> free: what -wp-prop calls it; "" if it has no name."""
    m = (re.search(r"_(?:requires|ensures|assert)_(?:rte_)?(\w+?)(?:_\d+)?$", goal) or
         re.search(r"_loop_invariant_(?!\d)(\w+?)(?:_\d+)?_(?:established|preserved)$", goal))
    return m.group(1) if m else "@assigns" if re.search(r"_assigns(_|$)", goal) else ""


class Judge:
    """Of functions in a copy of the tree, against what is proved of them in this one."""

    def __init__(self, tree):
        prove = gate()
        self.command = list(prove.FRAMA_C)
        prove.configure()
        prove.unpack_results()
        os.environ["OCAMLRUNPARAM"] = prove.HEAP
        os.makedirs(NOTHING, exist_ok=True)
        self.tree, self.provers = tree, provers()
        self.scratch = tempfile.TemporaryDirectory(dir=WORK)
        self.changed = os.path.join(self.scratch.name, "changed")  # goals of the changed function
        self.stands = os.path.join(self.scratch.name, "stands")  # and of the function as it stands
        self.named = next(p for p in self.provers if p.endswith(":named"))
        self.family = [p for p in self.provers if self.provers[p][0] == self.provers[self.named][0]]
        self.wraps = {row[1] for row in prove.table("proofs/PROVED") if "wraps" in row[2:]}
        self.file = {row[1]: row[0] for row in prove.table("proofs/PROVED")}
        self.trusted = {}
        for row in prove.table("proofs/TRUSTED"):
            self.trusted.setdefault(row[0], []).append(row[1])
        self.ledger = {row[0]: int(row[1]) for row in prove.table("proofs/expected/goals")}
        self.proved = set(lines_of(os.path.join(WORK, "proved")))
        self.hot, self.base = {}, {}  # by function: names that turned red, the last one first; standing()

    # ---- Frama-C -----------------------------------------------------------------------------------

    def frama_c(self, root, function, asked, only=(), goals=None, extra=()):
        """Frama-C's lines, one after the other, while it writes the goals as these provers read them."""
        goals = goals or self.changed
        shutil.rmtree(goals, ignore_errors=True)
        props = ["-" + clause for clause in self.trusted.get(function, ())] + list(only)
        command = self.command + ["-wp-prover", ",".join(asked), "-wp-out", goals,
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

    def text(self, goal, prover, goals=None):
        """The goal as the prover reads it, less the line that names the prover."""
        path = os.path.join(goals or self.changed, "typed", "%s_Why3_%s.why" % (
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

    def path(self, function):
        return os.path.join(WORK, "standing." + function)

    def standing(self, function):
        """How the goals of the function as it stands are proved, as far as it was asked: {goal: [prover, steps]}."""
        if function not in self.base:
            known = json.loads("\n".join(lines_of(self.path(function))) or "{}")
            same = known.get("stamp") == self.stamp(function)
            self.base[function] = known if same else {"stamp": self.stamp(function), "goals": {}}
        return self.base[function]["goals"]

    def own(self, function, goal):
        """[prover, steps] of the goal of that name in the function as it stands; None: it has none."""
        goals = self.standing(function)
        if goal not in goals:
            goals[goal] = self.measure(function, goal)
            with open(self.path(function), "w", encoding="utf-8") as f:
                json.dump(self.base[function], f)
        return goals[goal]

    def measure(self, function, goal):
        """The same, from build/prove/cache or by proving it with the gate's limits."""
        for only in dict.fromkeys([self.only(function, goal), ()]):
            text = self.standing_text(function, goal, self.named, only)
            if text is None and not only:
                return None
            way = ([self.named, 0] if text == "" else self.way_before(text) or
                   self.way_now(function, goal, text, only)) if text is not None else None
            if way:
                return way
        raise SystemExit("judge: %s of the function as it stands is not proved: run `make prove`" % goal)

    def way_before(self, text):
        ways = [[p, self.cached(text, p)] for p in self.family if self.cached(text, p) is not None]
        return min(ways, key=lambda way: way[1]) if ways else None

    def way_now(self, function, goal, text, only):
        for p in sorted(self.provers, key=lambda p: p != self.named):
            read = text if p in self.family else self.standing_text(function, goal, p, only)
            steps = self.ask(p, read, None)
            if steps is not None:
                return [p, steps]
        return None

    def standing_text(self, function, goal, prover, only):
        """The goal of the function as it stands; "": no prover is needed; None: there is none."""
        for line in self.frama_c(ROOT, function, [prover], only, self.stands):
            found, open_ = self.read(line)
            if found == goal:
                return self.text(goal, prover, self.stands) if open_ else ""
        return None

    def only(self, function, goal):
        """What narrows Frama-C to this goal and some others; () where that cannot be said."""
        return (selector(goal),) if selector(goal) and function not in self.trusted else ()

    def warnings(self, function):
        return sum(self.warns(line) for line in self.frama_c(ROOT, function, [self.named], (), self.stands))

    def stamp(self, function):
        folder = os.path.join(ROOT, "core")
        names = [n for n in sorted(os.listdir(folder)) if n.endswith(".h")]
        digest = hashlib.sha256(open(os.path.join(PROVE, "why3.conf"), "rb").read())
        for path in [os.path.join(folder, n) for n in names] + [os.path.join(ROOT, self.file[function])]:
            with open(path, "rb") as f:
                digest.update(f.read())
        return digest.hexdigest()

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

    def ask(self, prover, text, limit):
        """The steps the prover needs, if it proves it within so many (None: as many as in the gate); else None."""
        path = os.path.join(self.scratch.name, "goal.smt2")
        with open(path, "w", encoding="utf-8") as f:
            f.write(text)
        command = self.provers[prover][1].replace("%t", str(BACKSTOP_SECONDS)).replace("%f", path)
        if limit is not None:
            command = re.sub(r"\brlimit=\d+", "rlimit=%d" % limit, command)
        said = subprocess.run(command.split(), stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True).stdout
        steps = re.search(r":rlimit-count +(\d+)|resourceUnitsUsed, (\d+)", said)
        if "unsat" not in said.splitlines():
            return None
        return int(steps.group(1) or steps.group(2)) if steps else 0

    def holds(self, function, goal):
        """Whether an open goal is proved: already, or within the limits."""
        text = self.text(goal, self.named)
        digest = hashlib.md5(text.encode()).hexdigest()
        if digest in self.proved or any(self.cached(text, p) is not None for p in self.family):
            return True
        if self.ask(self.named, text, FLOOR["Z3"]) is None and not self.holds_as_before(function, goal, text):
            return False
        self.proved.add(digest)
        with open(os.path.join(WORK, "proved"), "a", encoding="utf-8") as f:
            f.write(digest + "\n")
        return True

    def holds_as_before(self, function, goal, text):
        """Whether the prover of the goal as it stands proves it, within FACTOR times the steps."""
        own = self.own(function, goal) or [self.named, max([0] + [w[1] for w in self.standing(function).values() if w])]
        limit = max(FACTOR * own[1], FLOOR[own[0].split(":")[0]])
        if own[0] == self.named and limit <= FLOOR["Z3"]:
            return False
        if own[0] not in self.family:
            for line in self.frama_c(self.tree, function, [own[0]], self.only(function, goal), self.stands):
                if self.read(line)[0] == goal:
                    text = self.text(goal, own[0], self.stands)
        return self.ask(own[0], text, limit) is not None

    def round(self, function, only):
        """(verdict, reason) of the goals named in `only`, in that order; () is all."""
        warnings, claimed, problem, waiting = 0, None, "", []
        for line in self.frama_c(self.tree, function, [self.named], only):
            goal, open_ = self.read(line)
            claimed = self.total(line) or claimed
            warnings += self.warns(line)
            problem = line.strip() if re.search("syntax error|User Error", line) else problem
            if goal and open_ and only:
                waiting.append(goal)
            elif goal and open_ and not self.holds(function, goal):
                return self.red(function, goal)
        place = lambda goal: (only + (selector(goal),)).index(selector(goal))
        for goal in sorted(waiting, key=place):
            if not self.holds(function, goal):
                return self.red(function, goal)
        if only:
            return "", ""
        if problem or claimed is None:
            return "invalid", problem or "frama-c fails"
        if warnings and warnings > self.warnings(function):
            return "red", "frama-c warns"
        expected = self.ledger.get(function, claimed)
        if claimed != expected:
            return "ledger", "%d goals, not %d" % (claimed, expected)
        return "survived", ""

    def red(self, function, goal):
        """The verdict; the name of the goal is tried first from now on."""
        names, name = self.hot.setdefault(function, []), selector(goal)
        if name:
            names[:] = ([name] + [n for n in names if n != name])[:HOT]
        return "red", goal

    def judge(self, function):
        """(verdict, goal or reason): red; ledger, if only the number of goals tells; survived; invalid."""
        if self.hot.get(function) and function not in self.trusted:
            verdict = self.round(function, tuple(self.hot[function]))
            if verdict[0]:
                return verdict
        return self.round(function, ())

    def confirm(self, function, goal):
        """Whether the gate's provers, with the gate's limits, leave the goal open too."""
        extra = ["-wp-cache", "none", "-wp-par", "1", "-wp-timeout", str(BACKSTOP_SECONDS)]
        for line in self.frama_c(self.tree, function, list(self.provers), self.only(function, goal), extra=extra):
            found, open_ = self.read(line)
            if found == goal:
                return open_
        return goal == "frama-c warns"  # the gate takes no warning
