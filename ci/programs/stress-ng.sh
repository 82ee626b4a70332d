#!/bin/bash
# stress-ng's malloc stressor, which verifies what it wrote: processes, and threads in each.
source "$(dirname "$0")/common.bash"

takes_effect stress-ng --version
preloaded stress-ng --malloc 2 --malloc-pthreads 2 --malloc-max 20000 --malloc-touch \
    --verify --timeout 10s --metrics-brief --verbose >out 2>&1 || { cat out; fail stress-ng; }
sound out
# It restarts a stressor that a signal ended, so a good end alone says nothing.
! grep -iE 'child died|restarting|terminated on signal|out of memory|corrupt' out || fail "a stressor was ended"
grep -q 'successful run completed' out || { cat out; fail "no successful run"; }
awk '$4 == "malloc" && $5 + 0 > 1000 { found = 1 } END { exit !found }' out || { cat out; fail "no work was done"; }
