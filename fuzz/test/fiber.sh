#!/bin/bash
# fiber.sh: the context switch on the machines that fiber.c knows: this one, by both compilers and
# under the address sanitizer; and aarch64, by a cross compiler and qemu.
. "$(dirname "$0")/common.bash"

sources=(-std=gnu11 -D_GNU_SOURCE -Wall -Wextra -Werror -Ifuzz -Icore -include fuzz/sim/thread_words.h
    fuzz/test/fiber_try.c fuzz/sim/fiber.c)

try() { # try NAME RUNNER COMPILER...: built and run
    local name=$1 runner=$2
    shift 2
    ok "$name builds" made_by "$@"
    ok "$name" ends 0 'fibers: 12008 switches' $runner "$scratch/fiber_try"
}
made_by() { "$@" "${sources[@]}" -o "$scratch/fiber_try"; }

try 'x86-64, gcc' '' gcc -O2
try 'x86-64, clang' '' clang -O2
try 'x86-64, clang, address sanitizer' '' clang -O1 -fsanitize=address
try 'aarch64, gcc -O0' qemu-aarch64 aarch64-linux-gnu-gcc -O0 -static
try 'aarch64, gcc -O2' qemu-aarch64 aarch64-linux-gnu-gcc -O2 -static
try 'aarch64, gcc -O3' qemu-aarch64 aarch64-linux-gnu-gcc -O3 -static
finish
