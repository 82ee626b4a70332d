#!/bin/bash
# fleet.sh: the build script of OSS-Fuzz and ClusterFuzzLite makes targets that run.
# run-tests: timeout 600
. "$(dirname "$0")/common.bash"

ok 'no OUT' ends 2 'OUT must name' env -u OUT fuzz/fleet
ok 'memory sanitizer' ends 2 'shadow' env OUT="$scratch" CFLAGS=-fsanitize=memory fuzz/fleet
ok build ends 0 'five targets' env OUT="$scratch/out" WORK="$scratch/work" \
    CC=clang CXX=clang++ LIB_FUZZING_ENGINE=-fsanitize=fuzzer \
    CFLAGS='-O1 -g -fsanitize=fuzzer-no-link,undefined -fno-sanitize-recover=all' fuzz/fleet
for target in api region size options corrupt; do
    out=$scratch/out/fuzz_$target
    mkdir "$scratch/seeds.$target"
    ok "$target seeds" python3 -m zipfile -e "${out}_seed_corpus.zip" "$scratch/seeds.$target"
    ok "$target options" grep -q max_len "$out.options"
    ok "$target runs" ends 0 'Done [0-9]* runs' "$out" -runs=500 -seed=1 "$scratch/seeds.$target"
    ok "$target coverage" grep -q 'cov: [0-9][0-9]' "$scratch/log"
done
ok dictionary grep -q fuzz_options.dict "$scratch/out/fuzz_options.options"
finish
