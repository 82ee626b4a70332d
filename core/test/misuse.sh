#!/bin/sh
# misuse.sh BUILD: every program of fuzz/misuse ends in the one-line report it expects.
#
# Each commits one fault with the library preloaded. It must die by SIGABRT, in time, after exactly
# one line on standard error: `chunkproof: FAULT: ...`, FAULT one of those in its `expect:`
# comment, with one of the addresses it printed, if any. A breach found by the walker may print
# the neighbourhood after that line.
#
# Usage with a pattern: misuse.sh BUILD 'double_free*'.
set -u
root=$(cd "$(dirname "$0")/../.." && pwd)
scratch=$(mktemp -d "${CHUNKPROOF_BUILD:-${1:-$root/build}}/misuse.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
# shellcheck disable=SC3045 # every sh of Linux has it
ulimit -c 0
SIGABRT_STATUS=134
passed=0
failed=0

comment() { # FILE NAME: the value of `// NAME: value`
    sed -n "s|^// $2: ||p" "$1"
}

# Why the run is not as it should be; nothing if it is.
fault_in() { # STATUS EXPECTED
    [ "$1" -eq "$SIGABRT_STATUS" ] || { echo "exit status $1"; return; }
    lines=$(wc -l <"$scratch/err")
    found=$(sed -n '1s/^chunkproof: \([^:]*\): .*/\1/p' "$scratch/err")
    case "$found" in
    'heap breach') ;;
    *) [ "$lines" -eq 1 ] || { echo "$lines lines"; return; } ;;
    esac
    case " | $2 | " in
    *" | $found | "*) ;;
    *) echo "reported '$found'"; return ;;
    esac
    # -w: an address must end where it ends, 0x10 is not in 0x100.
    [ ! -s "$scratch/out" ] || grep -qwFf "$scratch/out" "$scratch/err" || echo "no expected address"
}

# In a shell of its own, which would say "Aborted".
run() { # EXECUTABLE VARIABLES
    # shellcheck disable=SC2086 # several variables are several words
    (exec env $2 LD_PRELOAD="$CHUNKPROOF_LIB" timeout 20 "$1" >"$scratch/out" 2>"$scratch/err")
}

for program in "$root"/fuzz/misuse/${2:-*}.c; do
    name=$(basename "$program" .c)
    expected=$(comment "$program" expect)
    if ! ${CC:-gcc} -std=gnu11 -D_GNU_SOURCE -O1 -g -Wall -Wextra -Wno-use-after-free \
        -fno-builtin -pthread -o "$scratch/$name" "$program" "$CHUNKPROOF_LIB" \
        -Wl,-rpath,"$(dirname "$CHUNKPROOF_LIB")"; then
        failed=$((failed + 1))
        continue
    fi
    run "$scratch/$name" "$(comment "$program" env)" 2>/dev/null
    status=$?
    wrong=$(fault_in "$status" "$expected")
    if [ -z "$expected" ] || [ -n "$wrong" ]; then
        failed=$((failed + 1))
        echo "FAIL $name: $wrong (expected: $expected)"
        sed 's/^/    /' "$scratch/err" | head -n 20
    else
        passed=$((passed + 1))
        echo "ok   $name: $(head -n 1 "$scratch/err")"
    fi
done
echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ] && [ "$passed" -gt 0 ]
