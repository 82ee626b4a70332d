#!/bin/bash
# engines.sh: every target runs on its engines, a planted fault is found, and what finds it is made
# small; AFL++ sees the same edges whenever it runs an input again.
# run-tests: timeout 600
. "$(dirname "$0")/common.bash"

ok build made api region size options corrupt random/api random/dynamic replay afl/api afl/mutator.so
for target in api region size options corrupt; do
    ok "libfuzzer $target" ends 0 'crashes=0' \
        fuzz/run --build "$fuzz" --fresh --target $target --time 3
done
ok 'random api' ends 0 'crashes=0' fuzz/run --build "$fuzz" --engine random --time 3
ok 'random libc' ends 0 'crashes=0' \
    fuzz/run --build "$fuzz" --target libc --allow align-lenient,errno-kept --time 3
ok 'afl api' ends 0 'crashes=0' fuzz/run --build "$fuzz" --fresh --engine afl --time 20
ok 'afl stability' grep -q 'stability=100.00%.*crashes=0' "$scratch/log"

# A fault that any program with two mappings meets.
cp -r core "$scratch/core"
ok plant patch -s -p1 -d "$scratch" -i "$PWD/fuzz/mutants/mapped-count.patch"
ok 'build planted' make -s -f fuzz/fuzz.mk FUZZ_CORE="$scratch/core" FUZZ_BUILD="$scratch/out" \
    FUZZ_HARNESS="$fuzz/harness" "$scratch/out/api" "$scratch/out/replay"
ok 'planted found' ends 1 'crash file' fuzz/run --build "$scratch/out" --time 60
crash=$(sed -n 's/^fuzz: crash file //p' "$scratch/log")
ok 'planted minimised' ends 0 'oracle=' fuzz/minimise --build "$scratch/out" "$crash"
records=$(sed -n 's/.* bytes, \([0-9]*\) records$/\1/p' "$scratch/log")
ok 'minimised is small' test "${records:-99}" -le 3
ok 'minimised fails' ends 1 'oracle=' \
    "$scratch/out/replay" --quiet "$(sed -n 's/^minimise: stored //p' "$scratch/log")"
finish
