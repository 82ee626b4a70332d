# common.bash: what the tests of the fuzzing tools share. Each test is run from the top folder with
# the build folder as its argument, and ends with `N passed, N failed`.
set -uo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.." || exit 1
build=${1:-build}
fuzz=$build/fuzz
passed=0 failed=0
scratch=$(mktemp -d) || exit 1
trap 'rm -rf "$scratch"' EXIT

ok() { # ok NAME CONDITION...: counts, and tells on failure
    local name=$1
    shift
    if "$@"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "failed: $name: $*"
        [[ -s $scratch/log ]] && tail -n 20 "$scratch/log" | sed 's/^/    /'
    fi
}

# ends STATUS WORDS COMMAND...: the command exits with STATUS and says WORDS
ends() {
    local status=$1 words=$2 got=0
    shift 2
    timeout 120 "$@" >"$scratch/log" 2>&1 </dev/null || got=$?
    [[ $got -eq $status ]] && grep -qe "$words" "$scratch/log"
}

made() { # made GOAL...: below the fuzz folder
    make -s -f fuzz/fuzz.mk FUZZ_BUILD="$fuzz" FUZZ_HARNESS="$fuzz/harness" "${@/#/$fuzz/}" \
        >"$scratch/log" 2>&1
}

finish() {
    echo "$passed passed, $failed failed"
    [[ $failed -eq 0 && $passed -gt 0 ]]
    exit
}
