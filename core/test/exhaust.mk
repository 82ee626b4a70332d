# exhaust.mk: builds and runs the exhaustive test. Included by the Makefile.
#
#   make exhaust                                    more than 10 million heaps, in minutes
#   build/exhaust/exhaust --granules 20             three times as many: see --help
#
# The core's files as they are, but for malloc.c, in which only the borders of large sizes are
# scaled down. `exhaust`: small bins hold 2, 3 and 4 granules, large ones 5..8, 9..12, 13..16 ...
# `rings`: large bins begin at 3 granules, so that one holds several sizes, each more than once.
# In both, freeing 8 merged granules or more consolidates.

EXHAUST_CORE   ?= core
EXHAUST_BUILD  ?= $(BUILD)/exhaust
EXHAUST_CFLAGS ?= -O3
EXHAUST_SRC     = $(filter-out %/malloc.c,$(wildcard $(EXHAUST_CORE)/*.c)) \
    $(wildcard $(EXHAUST_CORE)/test/exhaust*.c)
EXHAUST_HEADERS = $(wildcard $(EXHAUST_CORE)/*.h $(EXHAUST_CORE)/test/exhaust*.h)

.PHONY: exhaust exhaust-build

exhaust: exhaust-build ## explore every heap of a small region, breadth first
	$(EXHAUST_BUILD)/rings --granules 18
	$(EXHAUST_BUILD)/exhaust --granules 19 --fast 4

exhaust-build: $(EXHAUST_BUILD)/exhaust $(EXHAUST_BUILD)/rings

$(EXHAUST_BUILD)/exhaust: EXHAUST_LARGE := 5u
$(EXHAUST_BUILD)/rings: EXHAUST_LARGE := 3u

$(EXHAUST_BUILD)/exhaust $(EXHAUST_BUILD)/rings: $(EXHAUST_SRC) $(EXHAUST_HEADERS) core/test/exhaust.mk
	$(call say,LD)
	$(Q)mkdir -p $(@D)
	$(Q)$(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(EXHAUST_CFLAGS) -g -pthread \
	    -DLARGE_MIN_GRANULES=$(EXHAUST_LARGE) -DCONSOLIDATE_GRANULES=8u -o $@ $(EXHAUST_SRC)
