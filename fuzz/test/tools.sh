#!/bin/bash
# tools.sh: bad input to the fuzzing tools gets a clear message and exit status 2, and each tool has
# a help text.
# run-tests: timeout 600
. "$(dirname "$0")/common.bash"

: >"$scratch/empty"
head -c 10485760 /dev/zero >"$scratch/huge"
ok build made replay random/api random/size random/dynamic api

for tool in "$fuzz/replay" "$fuzz/random/api" fuzz/minimise; do
    ok "$tool empty" ends 2 'empty' "$tool" "$scratch/empty"
    ok "$tool huge" ends 2 'larger than 1 MiB' "$tool" "$scratch/huge"
    ok "$tool missing" ends 2 'o such file\|no seeds' "$tool" "$scratch/missing"
    ok "$tool help" ends 0 'usage' "$tool" --help
done
ok 'replay nothing' ends 2 usage "$fuzz/replay"
ok 'make replay' ends 2 usage make -s replay
ok 'make minimise' ends 2 usage make -s minimise

ok 'random: no folder' ends 2 'no seeds' "$fuzz/random/api"
ok 'random: no number' ends 2 'number' "$fuzz/random/api" --seed x corpus/api
ok 'dynamic: no library' ends 2 'names no library' env -u FUZZ_MALLOC "$fuzz/random/dynamic" corpus/api
ok 'dynamic: no malloc' ends 2 'no malloc family' \
    env FUZZ_MALLOC=libm.so.6 "$fuzz/random/dynamic" corpus/api/sizes
ok 'dynamic: no such allowance' ends 2 'no such allowance' \
    env FUZZ_MALLOC=libc FUZZ_ALLOW=x "$fuzz/random/dynamic" corpus/api/sizes

for tool in fuzz/run fuzz/negative fuzz/coverage fuzz/corpus fuzz/fleet; do
    ok "$tool help" ends 0 . "$tool" --help
done
ok 'run: no such target' ends 2 'no such target' fuzz/run --target /nonexistent
ok 'run: no such engine' ends 2 'invalid choice' fuzz/run --engine x
ok 'run: no time' ends 2 'time' fuzz/run --time 0
ok 'run: no records' ends 2 'between 1 and 512' fuzz/run --records 0
ok 'run: not built' ends 2 'make fuzz' fuzz/run --build "$scratch"
ok 'negative: no such fault' ends 2 'no such mutant' fuzz/negative nonesuch
ok 'minimise: no fault' ends 1 'no fault' fuzz/minimise --build "$fuzz" corpus/api/sizes
ok 'minimise: bad name' ends 2 'lower-case' fuzz/minimise --name 'A b' corpus/api/sizes
ok 'corpus: not built' ends 2 'make corpus' fuzz/corpus --build "$scratch"
ok 'coverage: not built' ends 2 'make coverage' fuzz/coverage --build "$scratch" --out "$scratch/html"
ok 'seeds: no folder' ends 2 usage fuzz/seeds-others

# A tree without a corpus.
mkdir -p "$scratch/tree/build/fuzz"
cp -r fuzz "$scratch/tree/"
cp "$fuzz/api" "$scratch/tree/build/fuzz/"
ok 'run: no corpus' ends 2 'corpus/api is missing or empty' "$scratch/tree/fuzz/run"
finish
