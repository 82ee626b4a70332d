#!/bin/sh
# vsize.sh BUILD: a thread that allocates 1 KiB adds less than 1 MiB to the virtual size of its
# process. The figure of the C library's malloc is measured the same way and shown beside it.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${CHUNKPROOF_BUILD:-${1:-build}}/vsize.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -fno-builtin -pthread -o "$scratch/vsize" "$here/vsize.c"
theirs=$("$scratch/vsize")
ours=$(LD_PRELOAD=$CHUNKPROOF_LIB "$scratch/vsize")
echo "virtual size added by a thread that allocates 1 KiB:" \
    "chunkproof $ours KiB, the C library's malloc $theirs KiB"
[ "$ours" -lt 1024 ]
