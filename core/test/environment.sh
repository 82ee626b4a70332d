#!/bin/sh
# environment.sh BUILD: the MALLOC_* variables and GLIBC_TUNABLES of glibc 2.36 have their effect,
# nonsense in them has none, and in set-uid programs none has.
#
# expect WHAT OPERATOR VALUE [VARIABLE=VALUE ...]: what environment_probe measures under these.
set -u
here=$(cd "$(dirname "$0")" && pwd)
scratch=$(mktemp -d "${TMPDIR:-/tmp}/environment.XXXXXX")
trap 'rm -rf "$scratch"' EXIT
probe=$scratch/probe
${CC:-gcc} -std=gnu11 -O2 -Wall -Wextra -fno-builtin -pthread -o "$probe" \
    "$here/environment_probe.c" || exit 1

passed=0
failed=0

judge() { # NAME FOUND OPERATOR VALUE
    if test -n "$2" && test "$2" "$3" "$4"; then
        passed=$((passed + 1))
    else
        failed=$((failed + 1))
        echo "not so: $1: '$2' $3 $4"
    fi
}

expect() {
    what=$1 operator=$2 value=$3
    shift 3
    found=$(env "$@" LD_PRELOAD="$CHUNKPROOF_LIB" timeout 60 "$probe" "$what" 2>&1)
    judge "$* $what" "$found" "$operator" "$value"
}

tunable() { # the same through GLIBC_TUNABLES: WHAT OPERATOR VALUE NAME=VALUE[:NAME=VALUE]
    expect "$1" "$2" "$3" GLIBC_TUNABLES="glibc.malloc.$(echo "$4" | sed 's/:/:glibc.malloc./g')"
}

# What the variables change, without them.
expect perturb -ne 90
expect mapped -eq 1
expect mapped_120k -eq 0
expect heap -lt 2048
expect heap_left -lt 2048
expect cached -eq 1
uncached=glibc.malloc.tcache_count=0 # every call meets an arena, so that threads contend
expect arenas -ge 2 GLIBC_TUNABLES=$uncached

expect perturb -eq 90 MALLOC_PERTURB_=165
expect perturb_free -eq 165 MALLOC_PERTURB_=165
tunable perturb -eq 90 perturb=165
tunable perturb_free -eq 165 perturb=165
tunable perturb -eq 90 perturb=0xa5

expect mapped -eq 0 MALLOC_MMAP_MAX_=0
tunable mapped -eq 0 mmap_max=0
expect mapped -eq 0 MALLOC_MMAP_THRESHOLD_=2097152
tunable mapped -eq 0 mmap_threshold=2097152
expect mapped_120k -ge 1 MALLOC_MMAP_THRESHOLD_=65536
tunable mapped_120k -ge 1 mmap_threshold=65536

expect heap -ge 8192 MALLOC_TOP_PAD_=8388608
tunable heap -ge 8192 top_pad=8388608
expect heap_left -ge 16384 MALLOC_TRIM_THRESHOLD_=67108864
tunable heap_left -ge 16384 trim_threshold=67108864

expect arenas -eq 1 MALLOC_ARENA_MAX=1 GLIBC_TUNABLES=$uncached
tunable arenas -eq 1 tcache_count=0:arena_max=1
expect arenas -eq 2 MALLOC_ARENA_MAX=2 GLIBC_TUNABLES=$uncached
tunable arenas -eq 2 tcache_count=0:arena_max=2
expect arenas -ge 2 MALLOC_ARENA_TEST=1 GLIBC_TUNABLES=$uncached
tunable arenas -ge 2 tcache_count=0:arena_test=1

tunable fast -ge 1 tcache_count=0
tunable fast -eq 0 tcache_count=0:mxfast=0
tunable cached -eq 0 tcache_count=0
tunable cached -eq 0 tcache_max=32
tunable cached -eq 1 tcache_max=200
tunable works -eq 1 tcache_count=65535
tunable works -eq 1 tcache_unsorted_limit=1
tunable works -eq 1 hugetlb=1
tunable works -eq 1 check=3
tunable mapped -eq 0 mmap_max=0:perturb=165
tunable perturb -eq 90 mmap_max=0:perturb=165

# Nonsense: no effect, no crash.
for nonsense in abc '' ' ' - 99999999999999999999999999 0x; do
    expect works -eq 1 MALLOC_PERTURB_="$nonsense"
    expect works -eq 1 MALLOC_ARENA_MAX="$nonsense"
    expect works -eq 1 MALLOC_MMAP_THRESHOLD_="$nonsense"
    expect works -eq 1 MALLOC_TOP_PAD_="$nonsense"
done
expect perturb -ne 90 MALLOC_PERTURB_=
expect perturb -ne 90 XMALLOC_PERTURB_=165
for nonsense in '' = : ::: glibc glibc.malloc. glibc.malloc.perturb glibc.malloc.perturb= \
    glibc.malloc.perturb=: glibc.malloc.perturb=xyz =165 glibc.malloc.perturbed=165 \
    glibc.malloc.nothing=1 x.malloc.perturb=165 "$(head -c 5000 /dev/zero | tr '\0' a)"; do
    expect perturb -ne 90 GLIBC_TUNABLES="$nonsense"
    expect works -eq 1 GLIBC_TUNABLES="$nonsense"
done
expect perturb -eq 90 GLIBC_TUNABLES=glibc.malloc.nothing=1:glibc.malloc.perturb=165

# A set-uid program, linked with the library: LD_PRELOAD of a path is ignored there.
set_uid() {
    cp "$CHUNKPROOF_LIB" "$scratch/libchunkproof.so.0" && ln -s libchunkproof.so.0 \
        "$scratch/libchunkproof.so" && chmod 755 "$scratch" "$scratch/libchunkproof.so.0" || return
    ${CC:-gcc} -std=gnu11 -O2 -fno-builtin -pthread -o "$scratch/linked" \
        "$here/environment_probe.c" -Wl,--no-as-needed -L"$scratch" -lchunkproof \
        -Wl,-rpath,"$scratch" || return
    judge "linked, not set-uid" "$(MALLOC_PERTURB_=165 "$scratch/linked" perturb)" -eq 90
    chmod 4755 "$scratch/linked"
    as_nobody="setpriv --reuid=65534 --regid=65534 --clear-groups"
    judge "set-uid" "$($as_nobody "$scratch/linked" secure)" -eq 1
    judge "set-uid MALLOC_PERTURB_" \
        "$(MALLOC_PERTURB_=165 $as_nobody "$scratch/linked" perturb)" -ne 90
    judge "set-uid GLIBC_TUNABLES" \
        "$(GLIBC_TUNABLES=glibc.malloc.perturb=165 $as_nobody "$scratch/linked" perturb)" -ne 90
    judge "set-uid MALLOC_MMAP_MAX_" \
        "$(MALLOC_MMAP_MAX_=0 $as_nobody "$scratch/linked" mapped)" -eq 1
}
if [ "$(id -u)" -ne 0 ]; then
    echo "set-uid programs: not shown, that needs root"
elif [ -n "$CHUNKPROOF_LIB" ]; then
    set_uid || failed=$((failed + 1))
fi

echo "$passed passed, $failed failed"
[ "$failed" -eq 0 ]
