#!/bin/bash
# perl: many small strings, arrays and hashes that grow and shrink (workload.pl).
source "$(dirname "$0")/common.bash"

takes_effect perl -e 'print 1'
perl "$root/ci/programs/workload.pl" "$(scaled 60000)" >plain.out
preloaded perl "$root/ci/programs/workload.pl" "$(scaled 60000)" >preloaded.out 2>err ||
    { cat err; fail perl; }
sound err
same plain.out preloaded.out
