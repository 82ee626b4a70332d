#!/bin/bash
# fuzz_threads.sh BUILD: the schedule of a fuzzed program is its input's alone.
#
#   - every seed gives the same trace on fibers and on parked threads of the system, whose
#     thread-local storage is the real one
#   - a thousand runs of one seed give a thousand equal traces
#   - another schedule gives another trace, or the two above would say nothing
set -uo pipefail
cd "$(dirname "$0")/../.." || exit 1
fuzz=${1:-build}/fuzz
passed=0 failed=0

check() { # check NAME: the status of the last command decides
    if [[ $? -eq 0 ]]; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $1"
    fi
}

trace() { # trace PROGRAM SEED [OPTION...]: its hash
    local program=$1 seed=$2
    shift 2
    "$fuzz/$program" --quiet "$@" "$seed" 2>&1 | sed -n 's/^replay: passed: .*trace hash \([0-9a-f]*\),.*/\1/p'
}

make -s -f fuzz/fuzz.mk FUZZ_BUILD="$fuzz" FUZZ_HARNESS="$fuzz/harness" \
    "$fuzz/replay" "$fuzz/replay-parked" || exit 1

for seed in corpus/api/* corpus/regress/api-*; do
    fibers=$(trace replay "$seed") parked=$(trace replay-parked "$seed")
    [[ -n $fibers && $fibers == "$parked" ]]
    check "$seed: fibers '$fibers', parked threads '$parked'"
done
for program in replay replay-parked; do
    "$fuzz/$program" --quiet --repeat 1000 corpus/api/threads-come-and-go | grep -q '1000 runs, all equal'
    check "$program: 1000 runs of threads-come-and-go"
    "$fuzz/$program" --quiet --repeat 1000 corpus/api/threads-hand-over-16 | grep -q '1000 runs, all equal'
    check "$program: 1000 runs of threads-hand-over-16, where threads meet"
done
for policy in 0,1 1,2 2,16 16,17; do # in order, by priorities, by meetings
    [[ $(trace replay corpus/api/threads-hand-over-"${policy%,*}") != "$(trace replay corpus/api/threads-hand-over-"${policy#*,}")" ]]
    check "two schedules, two traces: $policy"
done

echo "$passed passed, $failed failed"
[[ $failed -eq 0 ]]
