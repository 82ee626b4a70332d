#!/bin/sh
# prove-lint.sh: what the proofs claim is what they prove, and the checker of that can fail.
set -eu
proofs/lint
proofs/lint --self-test
