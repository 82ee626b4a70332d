#!/bin/bash
# stores.sh: the world sees every store of the core, of any width. script/speed finds out where one of today's core
# goes unseen, this where one of tomorrow's could: compilers join stores as they please.
. "$(dirname "$0")/common.bash"

# Compiled as a file of the core is that is not explored.
compiled() {
    make -s -f fuzz/fuzz.mk FUZZ_BUILD="$scratch" FUZZ_CORE=fuzz/test FUZZ_SANCOV= \
        "$scratch/core-plain/stores_try.o" >"$scratch/log" 2>&1
}

ok compiles compiled
ok links clang "$scratch/core-plain/stores_try.o" -o "$scratch/stores_try"
ok 'each seen' ends 0 'stores: [0-9]*, each seen' "$scratch/stores_try"
finish
