#!/bin/bash
# xz with two threads: blocks of megabytes, made in one thread and freed in another.
source "$(dirname "$0")/common.bash"

takes_effect xz --version
seq -f 'line %.0f, some text that compresses' 1 "$(scaled 600000)" >data
head -c "$(scaled 8000000)" /dev/urandom >>data

xz -T2 --block-size=4MiB -3 -k -c data >plain.xz
preloaded xz -T2 --block-size=4MiB -3 -k -c data >preloaded.xz 2>err || { cat err; fail compress; }
sound err
same plain.xz preloaded.xz
preloaded xz -T2 -d -c preloaded.xz >restored
same data restored
