"""What a fuzz target said before it ended: which oracle spoke. Shared by run, minimise, negative
and mutants."""
import re


def judge(log):
    """(oracle, detail) of a run that ended with a fault."""
    found = re.search(r"fuzz: oracle=(\S+): (.*)", log)
    if found:
        oracle, detail = found.groups()
        told = re.search(r"chunkproof: (.*)", log) if oracle == "report" else None
        return oracle, told.group(1) if told else detail
    found = re.search(r"(\S+:\d+:\d+): runtime error: (.*)", log)
    if found:
        return "ubsan", f"{found.group(2)} at {found.group(1)}"
    found = re.search(r"ERROR: libFuzzer: (timeout|out-of-memory)", log)
    if found:
        return found.group(1), "the run does not end" if found.group(1) == "timeout" else ""
    if "does not end" in log or "Alarm clock" in log:
        return "timeout", "the run does not end"
    if "SEGV" in log or "Segmentation fault" in log:
        return "memory", "SIGSEGV"
    return "crash", "ended by a signal"


def kind(log):
    """The finding without the numbers that change when the input does."""
    oracle, detail = judge(log)
    return oracle, re.sub(r"0x[0-9a-f]+|\d+", "#", detail)[:40]
