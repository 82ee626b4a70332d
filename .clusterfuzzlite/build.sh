#!/bin/bash -eu
# What OSS-Fuzz and ClusterFuzzLite run: $CC, $CFLAGS, $LIB_FUZZING_ENGINE, $OUT are theirs.
cd "$SRC/chunkproof"
WORK=$WORK/chunkproof fuzz/fleet
