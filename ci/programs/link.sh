#!/bin/bash
# What is installed can be used in each way the README names: exported names, -lchunkproof, the
# static library, and both allocators in one program.
source "$(dirname "$0")/common.bash"

env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" install "PREFIX=$work/usr" "BUILD=$work/build" >out ||
    { cat out; fail install; }
lib=$work/usr/lib

# The malloc family of glibc and C23, and cp_ names; nothing else is visible.
family='malloc|free|calloc|realloc|reallocarray|aligned_alloc|memalign|posix_memalign|valloc|pvalloc'
family+='|malloc_usable_size|mallopt|mallinfo|mallinfo2|malloc_info|malloc_stats|malloc_trim'
family+='|free_sized|free_aligned_sized|cfree'
nm -D --defined-only "$lib/libchunkproof.so" | sed 's/.* //; s/@.*//' | sort >exported
! grep -vE "^(cp_[a-z0-9_]+|$family)\$" exported || fail "these are exported as well"
for name in ${family//|/ }; do
    grep -qx "$name" exported || fail "$name is not exported"
done

# Each program tells which file its malloc and its cp_malloc come from.
cat >which.c <<'END'
#define _GNU_SOURCE
#include <chunkproof.h>
#include <dlfcn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
static void tell(const char *name, void *address) {
    Dl_info info;
    const char *slash = dladdr(address, &info) ? strrchr(info.dli_fname, '/') : NULL;
    printf("%s %s\n", name, slash ? slash + 1 : "?");
}
int main(void) {
    void *p = malloc(100), *q = cp_malloc(100);
    memset(p, 1, 100);
    memset(q, 2, 100);
    tell("malloc", dlsym(RTLD_DEFAULT, "malloc"));
    tell("cp_malloc", (void *)cp_malloc);
    free(p);
    cp_free(q);
    return cp_check(NULL) ? 0 : 1;
}
END
build() { gcc -Wall -Werror -O1 -fno-builtin -rdynamic -I"$work/usr/include" which.c -o which "$@"; }
expect() { # expect WHAT MALLOC CP_MALLOC
    ./which >out || { cat out; fail "$1 ends badly"; }
    printf 'malloc %s\ncp_malloc %s\n' "$2" "$3" | diff - out || fail "$1"
}

build -L"$lib" -lchunkproof -Wl,-rpath,"$lib"
expect "shared" libchunkproof.so.0 libchunkproof.so.0
build -L"$lib" -l:libchunkproof.a
expect "static" which which
build -L"$lib" -lc -l:libchunkproof.a
expect "static, beside the C library's malloc" libc.so.6 which
