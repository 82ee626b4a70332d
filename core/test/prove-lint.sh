#!/bin/sh
# prove-lint.sh: what the proofs claim is what they prove, and the checker of that can fail; what
# `prove --changed` leaves out has not changed.
# run-tests: timeout 900
set -eu
proofs/lint
proofs/lint --self-test
python3 proofs/keys.py
