"""Real programs for ci/bench/run: each runs on an allocator by LD_PRELOAD, in a folder of its own, and
yields the figures seconds, peak_rss and faults, and end_rss if the program can tell what stays
resident when it has freed its data."""
import re
import shutil
import socket
import subprocess
import time

from measuring import ROOT, RunError, count_instructions, environment, run

# The test's own workload, timed; then what is resident when all of it is gone.
PERL_MAIN = r"""
use Time::HiRes 'time';
my $start = time;
do $ENV{WORKLOAD_PL} or die $@;
printf "seconds %.6f\n", time - $start;
sleep 1;
open my $statm, '<', '/proc/self/statm';
print 'end_rss ', (split ' ', <$statm>)[1] * 4096, "\n";
"""


def figures(text):
    """`name value` lines."""
    return {name: float(value) for name, value in
            re.findall(r"^(\w+) ([\d.]+)$", text, re.MULTILINE)}


class Program:
    """A command, measured from outside. What it prints as figures takes precedence."""

    always_the_same = True  # work, so that instructions can be compared

    def __init__(self, name, binary, command, scale_of=None, env=None):
        self.name, self.binary, self.command = name, binary, command
        self.scale_of, self.env = scale_of, env or {}

    def prepare(self, folder, scale):
        """Once, before all runs: the input, in `folder`."""
        self.folder, self.scale = folder, scale
        folder.mkdir(parents=True, exist_ok=True)

    def before(self):
        """Before each run, outside of the measurement."""

    def arguments(self):
        return [str(part).format(folder=self.folder, root=ROOT, size=self.size())
                for part in self.command]

    def size(self):
        return max(1, int((self.scale_of or 1) * self.scale))

    def served_by(self, allocator):
        """By the dynamic linker's own record, malloc and free of the program are the allocator's."""
        log = self.folder / "bindings"
        shutil.rmtree(log, ignore_errors=True)
        log.mkdir()
        env = environment(LD_PRELOAD=str(allocator.library), LD_BIND_NOW="1", LD_DEBUG="bindings",
                          LD_DEBUG_OUTPUT=str(log / "log"))
        subprocess.run([self.binary, "--version"], env=env, stdin=subprocess.DEVNULL, check=False,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        bindings = "".join(file.read_text(errors="replace") for file in log.iterdir())
        bound = re.findall(r" to (\S+) \[0\]: normal symbol `(?:malloc|free)'", bindings)
        others = {b for b in bound if ".so" in b} - {str(allocator.library)}
        # A binding to an executable is to its jump table, whose entry is bound to a library.
        if str(allocator.library) not in bound or others:
            raise RunError(f"{self.binary}: malloc is not {allocator.name}'s but {sorted(others)}'s")

    def environment(self):
        return environment(HOME=str(self.folder), TMPDIR=str(self.folder), **self.env)

    def count_instructions(self, allocator, folder, scale):
        """Of work of its own, prepared when first asked for."""
        if self.folder != folder:
            self.prepare(folder, scale)
        self.before()
        count, _ = count_instructions(self.arguments(), allocator, self.environment(), self.folder)
        return {"instructions": count}

    def run(self, allocator, launch):
        self.before()
        result = self.folder / "launch.result"
        output = run([launch, result, allocator.library, *self.arguments()],
                     self.environment(), folder=self.folder)
        return {**figures(result.read_text()), **figures(output)}


class Compiler(Program):
    """Compiles a copy of the library's own sources."""

    def __init__(self, name):
        super().__init__(name, name, None)

    def prepare(self, folder, scale):
        super().prepare(folder, scale)
        source = folder / "source"
        if source.exists():
            shutil.rmtree(source)
        shutil.copytree(ROOT / "core", source, ignore=shutil.ignore_patterns("test"))
        files = sorted(source.glob("*.c"))
        count = max(1, int(len(files) * min(1, scale)))
        self.command = [self.binary, "-std=gnu11", "-D_GNU_SOURCE", "-O2", "-g", "-fPIC", "-c",
                        *files[:count]]


class Sqlite(Program):
    def __init__(self):
        super().__init__("sqlite3", "sqlite3", ["sqlite3", ":memory:", ".read {folder}/workload"],
                         scale_of=200_000)

    def prepare(self, folder, scale):
        super().prepare(folder, scale)
        text = (ROOT / "ci/bench/workload.sql").read_text()
        (folder / "workload").write_text(text.replace("200000", str(self.size())))


class Xz(Program):
    def __init__(self):
        super().__init__("xz", "xz", ["xz", "-T2", "--block-size=4MiB", "-3", "-k", "-f",
                                      "{folder}/data"])

    def prepare(self, folder, scale):
        super().prepare(folder, scale)
        lines = "".join(f"line {i}, some text that compresses, {i * 7919 % 104729}\n"
                        for i in range(int(500_000 * scale) + 1))
        (folder / "data").write_text(lines)


class GitGc(Program):
    """git gc of a repository of 2,500 objects, copied anew for each run."""

    def __init__(self):
        super().__init__("git-gc", "git", ["git", "-C", "{folder}/copy.git", "gc", "--quiet",
                                           "--aggressive", "--prune=now"],
                         env={"GIT_CONFIG_GLOBAL": "/dev/null", "GIT_CONFIG_NOSYSTEM": "1"})

    def history(self, commits):
        """A fast-import stream: commits of 8 files each."""
        texts = ["".join(f"line {i} of a file\n" for i in range(50 * n)) for n in range(1, 9)]
        for commit in range(1, commits + 1):
            yield (f"commit refs/heads/main\ncommitter A <a@example.org> {1600000000 + commit} +0000"
                   "\ndata 8\nmessage\n\n")
            for file, text in enumerate(texts):
                at = (commit * 7919 + file * 104729) % len(text)
                texts[file] = text = text[:at] + f"change {commit}\n" + text[at + 9:]
                yield f"M 100644 inline d{commit % 16}/f{file}\ndata {len(text)}\n{text}\n"

    def prepare(self, folder, scale):
        super().prepare(folder, scale)
        shutil.rmtree(folder / "made.git", ignore_errors=True)
        env = environment(**self.env)
        run(["git", "init", "-q", "--bare", "-b", "main", folder / "made.git"], env)
        (folder / "stream").write_text("".join(self.history(max(10, int(150 * scale)))))
        with open(folder / "stream") as stream:
            run(["git", "-C", folder / "made.git", "fast-import", "--quiet"], env, stdin=stream)

    def before(self):
        shutil.rmtree(self.folder / "copy.git", ignore_errors=True)
        shutil.copytree(self.folder / "made.git", self.folder / "copy.git")


class Redis(Program):
    """redis-server under redis-benchmark on a free loopback port; seconds are redis-benchmark's. The
    peak is the server's; what stays is measured after FLUSHALL."""

    always_the_same = False
    TESTS = "set,get,incr,lpush,rpush,lpop,rpop,sadd,hset,spop,zadd,zpopmin,lrange_100,mset"

    def __init__(self):
        super().__init__("redis", "redis-server", [], scale_of=60_000)

    def cli(self, *words):
        return run(["redis-cli", "-h", "127.0.0.1", "-p", self.port, *words], environment())

    def await_answer(self, server):
        for _ in range(200):
            try:
                if self.cli("ping").strip() == "PONG":
                    return
            except RunError:
                time.sleep(0.05)
            if server.poll() is not None:
                break
        raise RunError("redis-server does not answer")

    @staticmethod
    def free_port():
        with socket.socket() as s:
            s.bind(("127.0.0.1", 0))
            return str(s.getsockname()[1])

    def status_bytes(self, pid, name):
        with open(f"/proc/{pid}/status") as status:
            return int(re.search(rf"^{name}:\s+(\d+) kB", status.read(), re.MULTILINE)[1]) * 1024

    def measure(self, server):
        start = time.monotonic()
        run(["redis-benchmark", "-h", "127.0.0.1", "-p", self.port, "-n", self.size(), "-c", "20",
             "-P", "16", "-r", "50000", "-d", "200", "-q", "-t", self.TESTS], environment())
        found = {"seconds": time.monotonic() - start,
                 "peak_rss": self.status_bytes(server.pid, "VmHWM")}
        self.cli("flushall", "sync")
        time.sleep(1)
        found["end_rss"] = self.status_bytes(server.pid, "VmRSS")
        with open(f"/proc/{server.pid}/stat") as stat:
            fields = stat.read().rsplit(")", 1)[1].split()
            found["faults"] = int(fields[7]) + int(fields[9])
        return found

    def run(self, allocator, launch):
        self.port = self.free_port()
        server = subprocess.Popen(
            ["redis-server", "--bind", "127.0.0.1", "--port", self.port, "--dir", self.folder,
             "--save", "", "--appendonly", "no", "--daemonize", "no"],
            env=environment(LD_PRELOAD=str(allocator.library)), stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            self.await_answer(server)
            found = self.measure(server)
            self.cli("shutdown", "nosave")
            if server.wait(10) != 0:
                raise RunError("redis-server ended badly")
            return found
        finally:
            if server.poll() is None:
                server.kill()
                server.wait()


PROGRAMS = [
    Compiler("gcc"),
    Compiler("clang"),
    Program("python3", "/usr/bin/python3", ["/usr/bin/python3", "{root}/ci/bench/workload.py",
                                            "{size}"], scale_of=150_000,
            env={"PYTHONMALLOC": "malloc", "PYTHONHASHSEED": "1"}),
    Program("perl", "perl", ["perl", "-e", PERL_MAIN.replace("{", "{{").replace("}", "}}"),
                             "{size}"], scale_of=60_000,
            env={"PERL_HASH_SEED": "1", "WORKLOAD_PL": str(ROOT / "ci/programs/workload.pl")}),
    Sqlite(),
    Redis(),
    Xz(),
    GitGc(),
]
