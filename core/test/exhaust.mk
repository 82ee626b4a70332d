# exhaust.mk: builds and runs the exhaustive test. Included by the Makefile.
#
#   make exhaust [ARGS="--granules 18"]      see build/exhaust/exhaust --help
#
# The core's files as they are, but for malloc.c, in which only the borders of large sizes are
# scaled down: small bins hold 2, 3 and 4 granules, large ones 5..8, 9..12, 13..16 ...; freeing 8
# merged granules or more consolidates.

EXHAUST_CORE   ?= core
EXHAUST_BUILD  ?= $(BUILD)/exhaust
EXHAUST_CFLAGS ?= -O3
EXHAUST_SCALE  := -DLARGE_MIN_GRANULES=5u -DCONSOLIDATE_GRANULES=8u
EXHAUST_SRC     = $(filter-out %/malloc.c,$(wildcard $(EXHAUST_CORE)/*.c)) \
    $(wildcard $(EXHAUST_CORE)/test/exhaust*.c)

.PHONY: exhaust exhaust-build

exhaust: exhaust-build ## explore every heap of a small region, breadth first (ARGS=--help)
	$(EXHAUST_BUILD)/exhaust $(ARGS)

exhaust-build: $(EXHAUST_BUILD)/exhaust

$(EXHAUST_BUILD)/exhaust: $(EXHAUST_SRC) $(wildcard $(EXHAUST_CORE)/*.h $(EXHAUST_CORE)/test/exhaust*.h) core/test/exhaust.mk
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(EXHAUST_CFLAGS) -g -pthread \
	    $(EXHAUST_SCALE) -o $@ $(EXHAUST_SRC)
