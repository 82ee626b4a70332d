# bench.mk: builds and runs the experiments and benchmarks. Included by the Makefile.
#
#   make experiments [ARGS="--quick --only a,b"]    see ci/experiments/run --help
#   make bench [ARGS="--rounds 3"]                  see ci/bench/run --help
#   make bench-instructions                         see ci/bench/instructions --help
#
# The programs are built by gcc, always: the compiler of the library is what may differ.

BENCH_PROGRAMS := $(BUILD)/bench/programs
EXPERIMENT_PROGRAMS := $(BUILD)/experiments/programs
BENCH_COMPILE = gcc -std=gnu11 -D_GNU_SOURCE $(WARNINGS) -O2 -g -fno-builtin -pthread

bench_patterns := pair64 churn batch handover server grow large aligned map
BENCH_BUILT := $(addprefix $(BENCH_PROGRAMS)/,$(bench_patterns) growth launch) \
    $(bench_patterns:%=$(BENCH_PROGRAMS)/%.latency)
FLOOR := $(BUILD)/bench/floor.so
EXPERIMENTS_BUILT := $(patsubst ci/experiments/%.c,$(EXPERIMENT_PROGRAMS)/%, \
    $(sort $(wildcard ci/experiments/*.c)))

.PHONY: experiments bench bench-instructions

experiments: setup all $(EXPERIMENTS_BUILT) ## re-create the published complaints about malloc, on it and its rivals (ARGS=--quick)
	@ci/experiments/run --build $(BUILD) $(ARGS)

bench: setup all $(BENCH_BUILT) $(FLOOR) ## time, memory and latency beside glibc and its rivals (ARGS=--quick)
	@ci/bench/run --build $(BUILD) $(ARGS)

bench-instructions: setup all $(BENCH_PROGRAMS)/instructions ## instructions of the fast paths against the committed ceiling
	@ci/bench/instructions --build $(BUILD) $(ARGS)

$(BENCH_PROGRAMS) $(EXPERIMENT_PROGRAMS):
	$(Q)mkdir -p $@

$(BENCH_PROGRAMS)/%: ci/bench/%.c ci/bench/kit.h ci/bench/bench.h ci/bench.mk | $(BENCH_PROGRAMS)
	$(call say,CC)
	$(Q)$(BENCH_COMPILE) -o $@ $<

$(BENCH_PROGRAMS)/%.latency: ci/bench/%.c ci/bench/kit.h ci/bench/bench.h ci/bench.mk | $(BENCH_PROGRAMS)
	$(call say,CC)
	$(Q)$(BENCH_COMPILE) -DLATENCY -o $@ $<

$(FLOOR): ci/bench/floor.c ci/bench.mk | $(BENCH_PROGRAMS)
	$(call say,CC)
	$(Q)$(BENCH_COMPILE) -O3 -fPIC -shared -o $@ $<

$(EXPERIMENT_PROGRAMS)/%: ci/experiments/%.c ci/experiments/phases.h ci/bench/kit.h ci/bench.mk | $(EXPERIMENT_PROGRAMS)
	$(call say,CC)
	$(Q)$(BENCH_COMPILE) -o $@ $<
