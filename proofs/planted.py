"""The faults of proofs/faults, one at a time to be planted: proofs/prove does so, proofs/lint sees that each can be."""

import collections
import re

Fault = collections.namedtuple("Fault", "title path function old new")  # `function` may be ""


def faults_of(text):
    found = re.findall(r"^== (.*)\n((?:.*\n)*?)--\n((?:.*\n)*?)(?=^==|\Z)", text, re.M)
    for title, old, new in found:
        path, _, function = title.partition(": ")[0].partition(" ")
        yield Fault(title, path, function, old.rstrip("\n"), new.rstrip("\n"))


def plant(fault, text):
    """The text with the fault in it; None: what it replaces does not stand there, or at several places."""
    return text.replace(fault.old, fault.new) if text.count(fault.old) == 1 else None
