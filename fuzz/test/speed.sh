#!/bin/bash
# speed.sh: no store of the core goes unseen by the world, whichever way it watches them, and the
# speed of `api` is measured and stays above a floor that a loaded machine holds as well.
# run-tests: timeout 600
. "$(dirname "$0")/common.bash"

ok build made random/api speed/core speed/core-calm speed/core-plain
ok 'stores seen, corpus' env FUZZ_SCAN=1 "$fuzz/random/api" --once corpus/api
for use in core core-calm core-plain; do
    for threads in 1 3 8; do
        ok "stores seen, $use, $threads threads" ends 0 'runs/s=' \
            env FUZZ_SCAN=1 "$fuzz/speed/$use" --threads "$threads" --seconds 1
    done
done
ok table ends 0 'no sanitizer' fuzz/speed --build "$fuzz" --rounds 1 --require 2500
ok 'too slow' ends 1 'runs/s=' fuzz/speed --build "$fuzz" --rounds 1 --require 100000000
ok help ends 0 usage fuzz/speed --help
ok 'bad usage' ends 2 '1 or more' fuzz/speed --rounds 0
ok 'not built' ends 2 'make fuzz-speed' fuzz/speed --build "$scratch" --rounds 1
finish
