# fuzz.mk: builds and runs the fuzz targets. Included by the Makefile; `make -f fuzz/fuzz.mk` from
# the top folder works as well.
#
#   make fuzz [FUZZ_TIME=60] [FUZZ_JOBS=1] [FUZZ_SEED=1]   fuzz the core, see fuzz/run --help
#   make fuzz-negative [FUZZ_MUTANTS="a b"]                planted faults must be found
#   make replay IN=file [C=1]                              one input as a trace or as a C program
#   make seeds                                             write corpus/api anew
#
# The core is built with coverage and UBSan; what judges it is built with neither, so that the
# engine explores the allocator and not the harness, and at full speed.

FUZZ_CC ?= $(firstword $(foreach c,clang clang-14 clang-15 clang-16,$(if $(shell command -v $(c)),$(c))) clang)
FUZZ_CORE ?= core
FUZZ_BUILD ?= build/fuzz
FUZZ_HARNESS ?= build/fuzz/harness
FUZZ_TIME ?= 60
FUZZ_JOBS ?= 1
FUZZ_SEED ?= 1
FUZZ_MUTANTS ?=

FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Wconversion \
	-Wshadow -Werror -Ifuzz
# Threads are fibers of one: what the core keeps for each is swapped as plain memory.
FUZZ_FIBERS := -include fuzz/sim/thread_words.h
# Where threads hand over without a lock, another may go on.
FUZZ_POINTS := -include fuzz/sim/atomic_points.h
# Every load and store of the core is shown to fuzz/sim/race.c; no run-time of this sanitizer is linked.
FUZZ_RACES = $(if $(filter check.c,$(<F)),,-fsanitize=thread -mllvm -tsan-instrument-func-entry-exit=0 \
	-mllvm -tsan-instrument-memintrinsics=0)
FUZZ_UBSAN := -fsanitize=undefined -fno-sanitize-recover=all
# Edges only: operations are not found by comparing bytes, and tracing comparisons takes half of
# the time. The walker is a judge too.
FUZZ_COVERAGE = $(if $(filter check.c,$(<F)),,-fsanitize-coverage=inline-8bit-counters,pc-table)

# Everything the real system is reached through stays out: os_sim.c and lock_sim.c stand for it.
FUZZ_CORE_SRC := $(filter-out %/os_linux.c %/lock_linux.c %/malloc.c,$(wildcard $(FUZZ_CORE)/*.c))
FUZZ_CORE_OBJ := $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_BUILD)/core/%.o)
FUZZ_REPLAY_CORE_OBJ := $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_BUILD)/core-replay/%.o)
FUZZ_PLAIN_CORE_OBJ := $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_BUILD)/core-plain/%.o)

FUZZ_JUDGE_SRC := fuzz/ops.c fuzz/ops_text.c fuzz/model.c fuzz/exec.c fuzz/target_core.c \
	fuzz/sim/os_sim.c fuzz/sim/lock_sim.c fuzz/sim/sched.c fuzz/sim/fiber.c fuzz/sim/race.c
FUZZ_JUDGE_OBJ := $(FUZZ_JUDGE_SRC:fuzz/%.c=$(FUZZ_HARNESS)/%.o)
FUZZ_API_OBJ := $(FUZZ_HARNESS)/fuzz_api.o $(FUZZ_HARNESS)/mutator.o

.PHONY: fuzz fuzz-build fuzz-negative replay seeds

fuzz: fuzz-build
	@fuzz/run --time $(FUZZ_TIME) --jobs $(FUZZ_JOBS) --seed $(FUZZ_SEED)

fuzz-build: $(FUZZ_BUILD)/api $(FUZZ_BUILD)/replay

fuzz-negative:
	@fuzz/negative $(FUZZ_MUTANTS)

replay: $(FUZZ_BUILD)/replay
	@$(if $(IN),,echo 'usage: make replay IN=file [C=1]' >&2; exit 2;) \
	    $(FUZZ_BUILD)/replay $(if $(C),--c) $(IN)

seeds: $(FUZZ_BUILD)/seeds
	@rm -rf $(FUZZ_BUILD)/seeds.new && mkdir -p $(FUZZ_BUILD)/seeds.new corpus/api
	@$< $(FUZZ_BUILD)/seeds.new
	@rm -f corpus/api/* && cp $(FUZZ_BUILD)/seeds.new/* corpus/api/

$(FUZZ_BUILD)/api: $(FUZZ_CORE_OBJ) $(FUZZ_JUDGE_OBJ) $(FUZZ_API_OBJ)
	@$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_UBSAN) $^ -lpthread -o $@

# The same without sanitizers, to measure speed: build/fuzz/api-plain.
$(FUZZ_BUILD)/api-plain: $(FUZZ_PLAIN_CORE_OBJ) $(FUZZ_JUDGE_OBJ) $(FUZZ_API_OBJ)
	@$(FUZZ_CC) -fsanitize=fuzzer $^ -lpthread -o $@

$(FUZZ_BUILD)/replay: $(FUZZ_REPLAY_CORE_OBJ) $(FUZZ_JUDGE_OBJ) $(FUZZ_HARNESS)/replay.o
	@$(FUZZ_CC) $(FUZZ_UBSAN) $^ -lpthread -o $@

# The same on parked threads of the system instead of fibers: thread-local storage is the real one.
# No races are looked for, since nothing else tells their stacks apart.
FUZZ_PARKED := $(FUZZ_BUILD)/parked
FUZZ_PARKED_OBJ := $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_PARKED)/core/%.o) \
	$(patsubst fuzz/%.c,$(FUZZ_PARKED)/%.o,$(FUZZ_JUDGE_SRC:%/fiber.c=%/fiber_pthread.c) fuzz/replay.c)

$(FUZZ_BUILD)/replay-parked: $(FUZZ_PARKED_OBJ)
	@$(FUZZ_CC) $^ -lpthread -o $@

$(FUZZ_PARKED)/core/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_POINTS) -I$(FUZZ_CORE) -MMD -c $< -o $@

$(FUZZ_PARKED)/%.o: fuzz/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -Icore -MMD -c $< -o $@

$(FUZZ_BUILD)/seeds: $(FUZZ_HARNESS)/seeds.o $(FUZZ_HARNESS)/ops.o
	@mkdir -p $(@D)
	@$(FUZZ_CC) $^ -o $@

# Coverage in a second step, lest its counters be taken for shared memory.
$(FUZZ_BUILD)/core/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(FUZZ_UBSAN) $(FUZZ_RACES) \
	    -MMD -MT $@ -emit-llvm -c $< -o $(@:.o=.bc)
	@$(FUZZ_CC) -O1 -fPIE $(FUZZ_COVERAGE) -c $(@:.o=.bc) -o $@

$(FUZZ_BUILD)/core-replay/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(FUZZ_UBSAN) $(FUZZ_RACES) -MMD -c $< -o $@

$(FUZZ_BUILD)/core-plain/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(FUZZ_COVERAGE) -MMD -c $< -o $@

# The judges see the headers of the unchanged core: a mutant may not change an interface.
$(FUZZ_HARNESS)/%.o: fuzz/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) -Icore -MMD -c $< -o $@

-include $(FUZZ_CORE_OBJ:.o=.d) $(FUZZ_REPLAY_CORE_OBJ:.o=.d) $(FUZZ_JUDGE_OBJ:.o=.d) \
	$(FUZZ_PARKED_OBJ:.o=.d) $(FUZZ_API_OBJ:.o=.d) $(FUZZ_HARNESS)/replay.d $(FUZZ_HARNESS)/seeds.d
