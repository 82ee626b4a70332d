#!/bin/bash
# first.sh LIBRARY PROGRAM [SEED]: pair.c with and without the library, in turn, so that whatever
# else the machine does meets both. Prints the medians in nanoseconds, and their ratio.
set -euo pipefail

[[ $# -ge 2 ]] || { echo "usage: $0 LIBRARY PROGRAM [SEED]" >&2; exit 2; }
library=$(realpath -s "$1") program=$2 seed=${3:-1} rounds=9
results=$(mktemp)
trap 'rm -f "$results"' EXIT

for ((i = 0; i < rounds; i++)); do
    "$program" "$seed" | sed 's/^/glibc /' >>"$results"
    LD_PRELOAD=$library "$program" "$seed" | sed 's/^/chunkproof /' >>"$results"
done

median() { # median MALLOC FIGURE
    awk -v m="$1" -v f="$2" '$1 == m && $2 == f { print $3 }' "$results" | sort -n |
        sed -n "$((rounds / 2 + 1))p"
}

echo "nanoseconds per malloc and free, median of $rounds runs in turn, seed $seed"
printf '%-10s %8s %12s %8s\n' figure glibc chunkproof ratio
for figure in pair shuffled; do
    glibc=$(median glibc $figure) ours=$(median chunkproof $figure)
    printf '%-10s %8s %12s %8s\n' $figure "$glibc" "$ours" "$(awk "BEGIN { printf \"%.2f\", $ours / $glibc }")"
done
