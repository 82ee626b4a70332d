# Sourced by every script of this folder. Each runs one real program on the library and compares
# what it says with what it says on the C library's malloc. Needs CHUNKPROOF_LIB, the absolute
# path of libchunkproof.so. Ends with status 0 only if everything agreed.
#
# The working directory is a new one, removed at the end. CHUNKPROOF_CHECK=N, where it is set,
# has the library walk the whole heap every Nth operation; WORKLOAD, a percentage, shortens the
# run then (see the checked-*.sh scripts).
set -euo pipefail

root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
library=${CHUNKPROOF_LIB:?the absolute path of libchunkproof.so}
[[ $library == /* && -e $library ]] || { echo "no such library: $library" >&2; exit 2; }
workload=${WORKLOAD:-100}

mkdir -p "$root/build"
work=$(mktemp -d "$root/build/program.XXXXXX")
trap 'rm -rf "$work"' EXIT
export TMPDIR=$work HOME=$work LC_ALL=C
cd "$work"

fail() { echo "FAILED: $*" >&2; exit 1; }

# scaled NUMBER: so much of it as the workload asks for.
scaled() { echo $(($1 * workload / 100)); }

# preloaded COMMAND...: with the library in place of the C library's malloc.
preloaded() { env LD_PRELOAD="$library" "$@"; }

# same FILE FILE
same() { cmp "$1" "$2" || fail "$1 and $2 differ"; }

# sound FILE: a report of the library in a program's output fails the test, even if that program
# went on or restarted the process that was ended by it.
sound() { ! grep -a '^chunkproof:' "$1" || fail "the library reported a fault"; }

# takes_effect COMMAND...: by the dynamic linker's own record, each malloc and free of the command
# and of what it starts is the library's. Without this a preload that failed would pass.
takes_effect() {
    local lines
    rm -rf bindings && mkdir bindings
    preloaded env LD_BIND_NOW=1 LD_DEBUG=bindings LD_DEBUG_OUTPUT=bindings/log "$@" \
        >/dev/null </dev/null || fail "$* fails under the library"
    lines=$(cat bindings/log.* | grep -E "normal symbol \`(malloc|free)'") || true
    grep -qF " to $library [0]: normal symbol \`malloc'" <<<"$lines" ||
        fail "the library does not serve $1"
    # A binding to an executable is to its jump table, whose entry is bound to the library above.
    ! grep -vF " to $library [0]:" <<<"$lines" | grep -E ' to [^ ]*\.so[^ ]* ' ||
        fail "another malloc serves $1 as well"
}
