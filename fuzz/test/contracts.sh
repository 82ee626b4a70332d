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

# lose NAME FILE FUNCTION STORE: core NAME, in whose FILE that function lacks that line
lose() {
    cp -r core "$scratch/$1" && sed -i "/^[a-z].* $3(.*{/,/^}/{/^    $4\$/d}" "$scratch/$1/$2" &&
        ! cmp -s "core/$2" "$scratch/$1/$2"
}

ok 'bad usage' ends 2 'no core folder' proofs/runtime/translate fuzz "$scratch/out"
ok 'build' build sound core
ok 'most of them' grep -q '^contracts: 1[4-9][0-9][0-9] of [0-9]* clauses' "$scratch/log"
ok 'contracts hold' ends 0 'evaluations of 1[2-9][0-9][0-9] clauses' \
    "$scratch/sound/contracts/random/region" --once "$scratch/seeds"
ok 'plant' lose untagged chunk.c chunk_split 'g\[rest\].prev_inuse = 1;'
ok 'build what is planted' build untagged-build "$scratch/untagged"
ok 'named' ends 134 'oracle=contract: chunk_split: ensures tagged' \
    "$scratch/untagged-build/contracts/random/region" corpus/region/merge
ok 'plant another' lose uncounted region.c count_dirty_out 'r->dirty_granules -= n;'
ok 'build that' build uncounted-build "$scratch/uncounted"
ok 'named, too' ends 134 'oracle=contract: count_dirty_out: ensures counted' \
    "$scratch/uncounted-build/contracts/random/region" corpus/region/top
finish
