# compile COMPILER: has it build this project on the library; the objects must come out the same.
compile() {
    local make=(env -u MAKEFLAGS -u MAKELEVEL make -s -C "$root" -j 2 "CC=$1" all) object
    takes_effect "$1" -c -o empty.o -x c /dev/null
    "${make[@]}" "BUILD=$work/plain" >out 2>&1 || { cat out; fail "$1 without the library"; }
    preloaded "${make[@]}" "BUILD=$work/preloaded" >out 2>&1 || { cat out; fail "$1"; }
    sound out
    for object in plain/"$1"/*.o; do
        same "$object" "preloaded/$1/${object##*/}"
    done
    [[ $(ls plain/"$1"/*.o | wc -l) -eq $(ls "$root"/core/*.c | wc -l) ]] || fail "objects missing"
    same "plain/$1/libchunkproof.so" "preloaded/$1/libchunkproof.so"
}
