#!/bin/bash
# redis-server under redis-benchmark; then known data, and the digest a plain server has of them.
source "$(dirname "$0")/common.bash"

server=
trap '[[ -z $server ]] || kill "$server" 2>/dev/null; rm -rf "$work"' EXIT

cli() { redis-cli -h 127.0.0.1 -p "$port" "$@"; }

start() { # start [preloaded]: a server without files on a free port; sets server and port
    port=$(/usr/bin/python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
    env ${1:+LD_PRELOAD="$library"} redis-server --bind 127.0.0.1 --port "$port" --dir "$work" \
        --save '' --appendonly no --enable-debug-command local --daemonize no >log 2>&1 &
    server=$!
    for _ in {1..100}; do
        [[ $(cli ping 2>/dev/null) == PONG ]] && return
        sleep 0.1
    done
    cat log
    fail "redis-server does not answer"
}

stop() {
    cli shutdown nosave || true
    wait "$server" || { cat log; fail "redis-server ended badly"; }
    server=
}

tell() { # known data in every type, some of them deleted; then all that can be said of them
    perl -e 'for my $i (1 .. 20000) {
        print "SET s:$i ", "v" x ($i % 300), "_\r\nHSET h:", $i % 500, " f$i $i\r\n";
        print "RPUSH l:", $i % 50, " ", "e$i" x 5, "\r\nSADD t:", $i % 20, " m$i\r\n";
        print "ZADD z:", $i % 10, " $i m$i\r\nAPPEND a:", $i % 7, " piece$i\r\n";
        print "DEL s:", $i - 500, "\r\n" if $i % 3 == 0;
    }' | cli --pipe | tail -n 1
    cli dbsize
    cli debug digest
    cli lrange l:7 0 -1 | cksum
    cli --raw get a:3 | cksum
}

start
tell >plain.out
stop

takes_effect redis-server --version
start preloaded
grep -q "${library##*/}" "/proc/$server/maps" || fail "the library is not in the server"
redis-benchmark -h 127.0.0.1 -p "$port" -n 20000 -c 20 -P 4 -r 10000 -d 100 -q --csv >benchmark
[[ $(wc -l <benchmark) -ge 19 ]] || { cat benchmark; fail "redis-benchmark stopped early"; }
cli flushall
tell >preloaded.out
stop
sound log
same plain.out preloaded.out
