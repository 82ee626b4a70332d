#!/bin/bash
# Python's own tests, with every object of Python straight from malloc.
source "$(dirname "$0")/common.bash"

suites=(test_list test_dict test_set test_json test_re test_threading test_zlib test_fork1
    test_array test_bytes test_itertools test_gc test_mmap test_bigmem test_queue
    test_thread test_weakref test_pickle test_lzma)
[[ $workload -eq 100 ]] || suites=(test_list test_dict test_string)

export PYTHONMALLOC=malloc
takes_effect /usr/bin/python3 -c 'import json, zlib, threading'
# A shell ignores SIGINT for what it starts in the background, and python3 would for its tests.
preloaded env --default-signal=INT /usr/bin/python3 -m test -W --timeout 240 "${suites[@]}" >out 2>&1 || { tail -n 50 out; fail tests; }
sound out
grep -qx "All ${#suites[@]} tests OK." out || { tail -n 50 out; fail "not every suite ran"; }
