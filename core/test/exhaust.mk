# exhaust.mk: builds and runs the exhaustive test. Included by the Makefile.
#
#   make exhaust [ARGS="--granules 20"]      see build/exhaust/exhaust --help
#
# The core's files as they are, but for malloc.c, in which only the borders of large sizes are
# scaled down: small bins hold 2, 3 and 4 granules, large ones 5..8, 9..12, 13..16 ...; freeing 8
# merged granules or more consolidates. The seals differ with the address, so it is a fixed one.

EXHAUST_CORE  ?= core
EXHAUST_BUILD ?= $(BUILD)/exhaust
EXHAUST_SCALE := -DLARGE_MIN_GRANULES=5u -DCONSOLIDATE_GRANULES=8u
EXHAUST_SRC    = $(filter-out %/malloc.c,$(wildcard $(EXHAUST_CORE)/*.c)) \
    $(sort $(wildcard $(EXHAUST_CORE)/test/exhaust*.c))

.PHONY: exhaust

exhaust: $(EXHAUST_BUILD)/exhaust ## explore every heap of a small region, breadth first (ARGS=--help)
	$< $(ARGS)

$(EXHAUST_BUILD)/exhaust: $(EXHAUST_SRC) $(wildcard $(EXHAUST_CORE)/*.h $(EXHAUST_CORE)/test/exhaust*.h) core/test/exhaust.mk
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O3 -g $(LTO) -pthread -fno-builtin-malloc \
	    $(EXHAUST_SCALE) -o $@ $(EXHAUST_SRC)
