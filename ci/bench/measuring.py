"""What ci/bench/run, ci/bench/instructions and ci/experiments/run share: the allocators, how a
program is run on one of them, figures, tables and plots."""
import glob
import math
import os
import platform
import re
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent.parent
TIMEOUT_SECONDS = 900
MIB = 1024 * 1024

# Where Debian 12 has each, its package, and its colour in plots.
RIVALS = {
    "jemalloc": ("/usr/lib/*-linux-gnu/libjemalloc.so.2", "libjemalloc2", "#009e73"),
    "tcmalloc": ("/usr/lib/*-linux-gnu/libtcmalloc_minimal.so.4", "libtcmalloc-minimal4",
                 "#cc79a7"),
    "mimalloc": ("/usr/lib/*-linux-gnu/libmimalloc.so.2", "libmimalloc2.0", "#e69f00"),
    "scudo": ("/usr/lib/llvm-*/lib/clang/*/lib/linux/libclang_rt.scudo_standalone-x86_64.so",
              "libclang-rt-14-dev", "#56b4e9"),
}
GLIBC_COLOUR, OUR_COLOUR, FLOOR_COLOUR = "#000000", "#d00000", "#999999"


class UsageError(Exception):
    """The command line, or this machine, does not allow the run: exit status 2."""


class RunError(Exception):
    """A measured program failed."""


class Allocator:
    def __init__(self, name, library, colour):
        self.name, self.library, self.colour = name, Path(library), colour


def c_library():
    """The C library's file. It is preloaded too, because a program may be linked with another
    malloc (Debian's redis-server is, with jemalloc): so each allocator really serves."""
    for line in Path("/proc/self/maps").read_text().splitlines():
        if line.endswith("/libc.so.6"):
            return line.split()[-1]
    raise UsageError("the C library is not found")


def own_library(build, folder):
    """A copy of build/libchunkproof.so: a library built anew meanwhile shall not be half measured."""
    library = Path(build) / "libchunkproof.so"
    if not library.exists():
        raise UsageError(f"{library} is missing: run make")
    folder.mkdir(parents=True, exist_ok=True)
    copy = folder / "libchunkproof.so"
    copy.unlink(missing_ok=True)
    return shutil.copy(library.resolve(), copy)


def find_allocators(names, build, folder):
    found = []
    for name in names:
        if name == "glibc":
            found.append(Allocator(name, c_library(), GLIBC_COLOUR))
        elif name == "chunkproof":
            found.append(Allocator(name, own_library(build, folder).resolve(), OUR_COLOUR))
        elif name == "floor":
            library = Path(build).resolve() / "bench/floor.so"
            if not library.exists():
                raise UsageError(f"{library} is missing: run make bench ARGS=--help")
            found.append(Allocator(name, library, FLOOR_COLOUR))
        elif name in RIVALS:
            pattern, package, colour = RIVALS[name]
            libraries = sorted(glob.glob(pattern))
            if not libraries:
                raise UsageError(f"{name} is missing: install {package}, or leave it out of "
                                 "--allocators")
            found.append(Allocator(name, libraries[-1], colour))
        else:
            raise UsageError(f"no allocator is called {name}")
    return found


# ---- Running -------------------------------------------------------------------------------------

def environment(**more):
    """The caller's, without what would tune an allocator or reach another make."""
    unwanted = ("MALLOC_", "CHUNKPROOF_", "MAKE", "MIMALLOC_", "SCUDO_", "TCMALLOC_")
    env = {name: value for name, value in os.environ.items()
           if not name.startswith(unwanted)
           and name not in ("MFLAGS", "GLIBC_TUNABLES", "LD_PRELOAD")}
    return {**env, "LC_ALL": "C", **more}


def run(command, env, folder=None, stdin=None):
    """Runs a command; returns its output. Leaves no process behind, whatever ends it."""
    command = [str(word) for word in command]
    with tempfile.TemporaryFile() as output, tempfile.TemporaryFile() as errors:
        try:
            process = subprocess.Popen(command, env=env, cwd=folder, stdin=stdin or
                                       subprocess.DEVNULL, stdout=output, stderr=errors,
                                       start_new_session=True)
        except OSError as error:
            raise RunError(str(error)) from None
        try:
            status = process.wait(TIMEOUT_SECONDS)
        except subprocess.TimeoutExpired:
            status = f"more than {TIMEOUT_SECONDS} s"
        finally:
            try:
                os.killpg(process.pid, signal.SIGKILL)
            except ProcessLookupError:
                pass
            process.wait()
        output.seek(0)
        errors.seek(0)
        if status != 0:
            tail = errors.read().decode(errors="replace")[-2000:]
            raise RunError(f"{' '.join(command)}: status {status}\n{tail}")
        return output.read().decode(errors="replace")


def require_served(output, command, allocator):
    """The program's output must say that its malloc comes from the allocator's file."""
    served = re.search(r"^malloc\s+(\S+)$", output, re.MULTILINE)
    if served is None or not allocator.library.name.startswith(served.group(1)):
        raise RunError(f"{command[0]}: malloc is not {allocator.name}'s\n{output}")


def run_served(command, allocator, env):
    """Runs a program that says which file its malloc comes from; it must be the allocator's."""
    output = run(command, {**env, "LD_PRELOAD": str(allocator.library)})
    require_served(output, command, allocator)
    return output


def count_instructions(command, allocator, env, folder=None):
    """Of a command and all it starts, in user mode, by valgrind's callgrind; and what it printed."""
    with tempfile.TemporaryDirectory() as logs:
        output = run(["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
                      "--trace-children=yes", f"--log-file={logs}/%p", *command],
                     {**env, "LD_PRELOAD": str(allocator.library)}, folder)
        text = "".join(log.read_text() for log in Path(logs).iterdir())
    counts = re.findall(r"Collected : (\d+)", text)
    if not counts:
        raise RunError(f"{command[0]}: valgrind counted nothing\n{text}")
    return sum(int(count) for count in counts), output


def count_instructions_served(command, allocator, env):
    """The same of a program that says which file its malloc comes from."""
    count, output = count_instructions(command, allocator, env)
    require_served(output, command, allocator)
    return count


# ---- Figures and tables --------------------------------------------------------------------------

def geometric_mean(values):
    return math.exp(statistics.fmean(math.log(v) for v in values)) if values else math.nan


def mib(count):
    return f"{count / MIB:.1f}"


def write_tsv(path, header, rows):
    with open(path, "w") as out:
        for row in [header, *rows]:
            out.write("\t".join(str(cell) for cell in row) + "\n")


def markdown_table(header, rows):
    lines = ["| " + " | ".join(str(cell) for cell in row) + " |" for row in [header, *rows]]
    lines.insert(1, "|" + " --- |" * len(header))
    return "\n".join(lines) + "\n"


def about_this_machine():
    """What a reader must know of where figures were taken; no names."""
    processor = re.search(r"model name\s*: (.*)", Path("/proc/cpuinfo").read_text())
    memory = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") / 1024 / MIB
    huge = Path("/sys/kernel/mm/transparent_hugepage/enabled")
    pages = re.search(r"\[(\w+)\]", huge.read_text()).group(1) if huge.exists() else "none"
    overcommit = Path("/proc/sys/vm/overcommit_memory").read_text().strip()
    return (f"{len(os.sched_getaffinity(0))} cores ({processor.group(1) if processor else '?'}), "
            f"{memory:.0f} GiB, {' '.join(platform.libc_ver())}, Linux "
            f"{'.'.join(platform.release().split('.')[:2])}, transparent huge pages {pages}, "
            f"overcommit {overcommit}, load at the start {os.getloadavg()[0]:.1f}")


# ---- Plots ---------------------------------------------------------------------------------------

def gnuplot(script):
    """Runs a gnuplot script; a machine without gnuplot has no plots."""
    if shutil.which("gnuplot") is None:
        raise UsageError("gnuplot is missing: install gnuplot-nox")
    done = subprocess.run(["gnuplot"], input=script, text=True, capture_output=True, check=False)
    if done.returncode != 0:
        raise RunError(f"gnuplot: {done.stderr}")


def svg_head(path, width=1000, height=600):
    return (f"set terminal svg size {width},{height} font 'sans-serif,14' background '#ffffff'\n"
            f"set output '{path}'\nset encoding utf8\nset grid back linecolor '#dddddd'\n"
            "set border 3\nset tics nomirror\n")


def line_style(allocator):
    width = 3 if allocator.name == "chunkproof" else 1.6
    return f"linecolor '{allocator.colour}' linewidth {width}"


# ---- The frame of a command ----------------------------------------------------------------------

class Progress:
    """One line for each run, and what failed."""

    def __init__(self, total):
        self.total, self.done, self.failures = total, 0, []

    def step(self, name, allocator, action):
        """The action's result, or None if it failed."""
        self.done += 1
        start = time.monotonic()
        try:
            result, says = action()
        except RunError as error:
            self.failures.append(f"{name} on {allocator}")
            result, says = None, f"FAILED: {error}"
        print(f"[{self.done:4}/{self.total}] {time.monotonic() - start:6.1f} s  {name:22} "
              f"{allocator:12} {says}", flush=True)
        return result


def main_frame(main):
    """Exit status 0: all ran; 1: a run failed; 2: wrong usage."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # so that what was started ends too
    try:
        sys.exit(main())
    except UsageError as error:
        print(f"{Path(sys.argv[0]).parent.name}/{Path(sys.argv[0]).name}: {error}",
              file=sys.stderr)
        sys.exit(2)
    except RunError as error:
        print(error, file=sys.stderr)
        sys.exit(1)
