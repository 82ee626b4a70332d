"""What python3 does in the benchmark: objects, dictionaries, strings, sorting, JSON. Prints what it
took, and what is resident after all of it was dropped."""
import gc
import json
import sys
import time

SIZE = int(sys.argv[1])


class Item:
    def __init__(self, number):
        self.number, self.name, self.tags = number, f"item {number}", [number % 7, number % 11]


def work(size):
    items = [Item(i * 7919 % size) for i in range(size)]
    by_name = {item.name: item for item in items}
    lines = [" ".join([item.name] * (item.number % 9)) for item in items]
    lines.sort(key=lambda line: (len(line), line))
    words = {}
    for line in lines:
        for word in line.split():
            words[word] = words.get(word, 0) + 1
    text = json.dumps([vars(item) for item in by_name.values()])
    again = {entry["name"]: entry for entry in json.loads(text)}
    tree = None
    for number in range(size // 4):
        tree = (tree, number, str(number)) if number % 1000 else None
    return len(again), sum(words.values()), len(text)


start = time.monotonic()
figures = work(SIZE)
print("result", *figures)
gc.collect()
print(f"seconds {time.monotonic() - start:.6f}", flush=True)
time.sleep(1)
with open("/proc/self/statm") as statm:
    print("end_rss", int(statm.read().split()[1]) * 4096)
