#!/bin/bash
# contracts.sh: the contracts of the proofs hold at run time, wherever the seeds of target `region` take
# them, and a fault planted in a proved function is reported by the clause it breaks.
# run-tests: timeout 600
. "$(dirname "$0")/common.bash"
export CONTRACTS_REPORT=1
mkdir "$scratch/seeds" && cp corpus/region/{aligned,bins,fast,merge,purge,resize,ring,top} "$scratch/seeds"

# build FOLDER CORE: below $scratch
build() {
    make -s -f proofs/runtime.mk BUILD="$scratch/$1" CONTRACTS_CORE="$2" \
        CONTRACTS_PROGRAMS=random/region contracts-build >"$scratch/log" 2>&1
}

# lose FUNCTION STORE: a core whose chunk.c lacks that line of that function
lose() {
    cp -r core "$scratch/lossy" && sed -i "/^[a-z].* $1(.*{/,/^}/{/^    $2\$/d}" "$scratch/lossy/chunk.c" &&
        ! cmp -s core/chunk.c "$scratch/lossy/chunk.c"
}

ok 'bad usage' ends 2 'no core folder' proofs/runtime/translate fuzz "$scratch/out"
ok 'build' build sound core
ok 'most of them' grep -q '^contracts: 1[0-9][0-9][0-9] of [0-9]* clauses' "$scratch/log"
ok 'contracts hold' ends 0 'evaluations of [3-9][0-9][0-9] clauses' \
    "$scratch/sound/contracts/random/region" --once "$scratch/seeds"
ok 'plant' lose chunk_split 'g\[rest\].prev_inuse = 1;'
ok 'build what is planted' build faulty "$scratch/lossy"
ok 'named' ends 134 'oracle=contract: chunk_split: ensures tagged' \
    "$scratch/faulty/contracts/random/region" corpus/region/merge
finish
