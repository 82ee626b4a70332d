#!/bin/bash
# python3.sh, shorter, with a walk of the whole heap every 1000th operation.
CHUNKPROOF_CHECK=1000 WORKLOAD=10 exec "${0/checked-/}"
