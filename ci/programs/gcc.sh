#!/bin/bash
# gcc, its assembler and linker, and make: they build this project.
source "$(dirname "$0")/common.bash"
source "$root/ci/programs/compile.bash"

compile gcc
