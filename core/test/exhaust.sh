#!/bin/sh
# exhaust.sh BUILD: every heap of a region of 14 granules, over three fillings of undefined memory
# and with the walker at each outcome; all kinds of lists must occur; then planted faults, each to
# be found by the fewest operations. `make exhaust` explores a larger region.
# run-tests: timeout 900
set -eu
build=${1:-build}
make -s exhaust-build BUILD="$build"
"$build/exhaust/exhaust" --granules 14 --fill 3 --walk 1 --max-states 100000
"$build/exhaust/exhaust" --granules 14 --fast 4 --align 8 --max-states 200000
lists=$("$build/exhaust/rings" --granules 14 --fill 3 --walk 1 --max-states 200000)
echo "$lists"
if echo "$lists" | grep ' with .*=0\>'; then
    echo "a kind of list never occurred"
    exit 1
fi
core/test/exhaust-faults --build "$build"
