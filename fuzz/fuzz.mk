# fuzz.mk: builds and runs the fuzz targets. Included by the Makefile; `make -f fuzz/fuzz.mk` from
# the top folder works as well.
#
#   make fuzz [TARGET=api] [ENGINE=libfuzzer|afl|random] [FUZZ_TIME=60] [FUZZ_JOBS=1] [FUZZ_SEED=1]
#             TARGET: api, region, size, options, corrupt; libc or /path/lib.so: another malloc (ALLOW=...)
#             FUZZ_RECORDS=N: programs of N records at most
#   make fuzz-negative [FUZZ_MUTANTS="a b"]      planted faults must be found
#   make mutants [FUZZ_MUTANTS="a b"]            the same with several seeds and a baseline, as a table
#   make replay IN=file [C=1]                    one input as a trace or as a C program
#   make minimise IN=file [NAME=name]            a crash made small, kept in corpus/regress
#   make fuzz-speed                              how fast api is, with and without what watches it
#   make coverage                                of core/ by the corpus alone
#   make corpus                                  what fuzzing found, merged into corpus/
#   make seeds                                   write the seeds anew
#
# The core is built with coverage and UBSan; what judges it is built with neither, so that the
# engine explores the allocator and not the harness, and at full speed.

FUZZ_CC ?= $(firstword $(foreach c,clang clang-14 clang-15 clang-16,$(if $(shell command -v $(c)),$(c))) clang)
FUZZ_AFL_CC ?= afl-clang-fast
FUZZ_CORE ?= core
FUZZ_BUILD ?= build/fuzz
FUZZ_HARNESS ?= build/fuzz/harness
# An object's headers are listed under both its names: from the top of the tree and from the root.
FUZZ_DEP = -MMD -MT $(abspath $@) -MT $(patsubst $(CURDIR)/%,%,$(abspath $@))
FUZZ_TIME ?= 60
FUZZ_JOBS ?= $(if $(filter afl,$(ENGINE)),0,1)
FUZZ_SEED ?= 1
FUZZ_RECORDS ?=
FUZZ_MUTANTS ?=
ENGINE ?= libfuzzer
TARGET ?= api

FUZZ_TARGETS := api region size options corrupt

FUZZ_CFLAGS := -std=gnu11 -D_GNU_SOURCE -O2 -g -fno-omit-frame-pointer -Wall -Wextra -Wconversion \
	-Wshadow -Werror -Ifuzz -DRETURNED_GRANULES=8u -DFREED_IN_A_ROW=12u -DAHEAD_GRANULES=512u \
	-DFLUSH_CHUNKS=1u -DSLIDE_MIN=8u -DEXPECT_GRANULES=1024u \
	-DPURGE_RUNS=2u -DSWEEP_STEPS=4u -DSWEEP_BIN_STEPS=8u
FUZZ_UBSAN := -fsanitize=undefined -fno-sanitize-recover=all
# Edges only: operations are not found by comparing bytes, and tracing comparisons takes half of
# the time.
FUZZ_SANCOV := -fsanitize-coverage=inline-8bit-counters,pc-table \
	-fsanitize-coverage-ignorelist=fuzz/judges.list

# ---- The core, once for each use -------------------------------------------------------------

# Everything the real system is reached through stays out: os_sim.c and lock_sim.c stand for it.
FUZZ_CORE_SRC := $(filter-out %/os_linux.c %/lock_linux.c %/malloc.c,$(wildcard $(FUZZ_CORE)/*.c))

# Threads are fibers of one: what the core keeps for each is swapped as plain memory.
FUZZ_FIBERS := -include fuzz/sim/thread_words.h
# Where threads hand over without a lock, another may go on.
FUZZ_POINTS := -include fuzz/sim/atomic_points.h
# Every load and store of the core is shown to the world, the stores alone (fuzz/sim/stores.h) or
# both (fuzz/sim/race.c); no run-time of this sanitizer is linked. Memory that is set or copied is
# so by a call, to a function of race.c.
FUZZ_STORES := -fsanitize=thread -mllvm -tsan-instrument-func-entry-exit=0 -fno-builtin \
	-include fuzz/sim/stores.h
FUZZ_STORES_FLAGS := -mllvm -tsan-instrument-atomics=0
FUZZ_RACES_FLAGS := -DCP_RACES
FUZZ_STORES_OPT := -O2
FUZZ_RACES_OPT := -O1
FUZZ_RENAME := $(foreach f,memset memcpy memmove,--redefine-sym $(f)=sim_$(f))

# $(1): use, and folder of its objects; $(2): compiler; $(3): flags for all; $(4): for what is to
# be explored; $(5): RACES, or STORES, or neither is looked at. Exploration is then a second step,
# lest its counters be taken for shared memory. The walker (check.c) is a judge and gets none of it.
define FUZZ_CORE_RULES
$(FUZZ_BUILD)/$(1)/check.o: $(FUZZ_CORE)/check.c fuzz/fuzz.mk
	@mkdir -p $$(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(3) $$(FUZZ_DEP) -c $$< -o $$@
$(FUZZ_BUILD)/$(1)/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $$(@D)
ifneq ($(5),)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(3) $(FUZZ_STORES) \
	    $(FUZZ_$(5)_FLAGS) $$(FUZZ_DEP) -emit-llvm -c $$< -o $$(@:.o=.bc)
	@$(2) $(FUZZ_$(5)_OPT) -fPIE $(4) -c $$(@:.o=.bc) -o $$@
	@objcopy $(FUZZ_RENAME) $$@
else
	@$(2) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(3) $(4) $$(FUZZ_DEP) -c $$< -o $$@
endif
$(FUZZ_BUILD)/$(1)/states.o: fuzz/states.c fuzz/fuzz.mk
	@mkdir -p $$(@D)
	@$(2) $(FUZZ_CFLAGS) $(4) $$(FUZZ_DEP) -c $$< -o $$@
$(FUZZ_BUILD)/$(1)/fuzz_size.o: fuzz/fuzz_size.c fuzz/fuzz.mk
	@mkdir -p $$(@D)
	@$(2) $(FUZZ_CFLAGS) -I$(FUZZ_CORE) $(3) $(4) $$(FUZZ_DEP) -c $$< -o $$@
$(FUZZ_BUILD)/$(1).a: $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_BUILD)/$(1)/%.o) $(FUZZ_BUILD)/$(1)/states.o
	@rm -f $$@ && ar rcs $$@ $$^
-include $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_BUILD)/$(1)/%.d)
endef
$(eval $(call FUZZ_CORE_RULES,core,$(FUZZ_CC),$(FUZZ_UBSAN),$(FUZZ_SANCOV),RACES))
# For targets of one thread: no races, hence twice as fast and more.
$(eval $(call FUZZ_CORE_RULES,core-calm,$(FUZZ_CC),$(FUZZ_UBSAN),$(FUZZ_SANCOV),STORES))
$(eval $(call FUZZ_CORE_RULES,core-afl,AFL_QUIET=1 AFL_LLVM_DENYLIST=fuzz/judges.list $(FUZZ_AFL_CC),$(FUZZ_UBSAN),,RACES))
$(eval $(call FUZZ_CORE_RULES,core-replay,$(FUZZ_CC),$(FUZZ_UBSAN),,RACES))
$(eval $(call FUZZ_CORE_RULES,core-coverage,$(FUZZ_CC),,-fprofile-instr-generate -fcoverage-mapping,))
$(eval $(call FUZZ_CORE_RULES,core-plain,$(FUZZ_CC),,$(FUZZ_SANCOV),STORES))

# ---- What judges it --------------------------------------------------------------------------

# All of fuzz/ but what stands for itself. An archive, so that a target takes what it needs.
FUZZ_PROGRAMS := fuzz/replay.c fuzz/seeds.c fuzz/engine_random.c fuzz/engine_speed.c fuzz/mutator_afl.c
FUZZ_JUDGE_SRC := $(filter-out fuzz/states.c fuzz/fuzz_%.c fuzz/mut%.c fuzz/target_%.c $(FUZZ_PROGRAMS) %_pthread.c, \
	$(wildcard fuzz/*.c fuzz/sim/*.c fuzz/sim/*.S))
FUZZ_JUDGE_OBJ := $(patsubst fuzz/%,$(FUZZ_HARNESS)/%.o,$(basename $(FUZZ_JUDGE_SRC)))
FUZZ_JUDGES := $(FUZZ_HARNESS)/judges.a

$(FUZZ_JUDGES): $(FUZZ_JUDGE_OBJ)
	@rm -f $@ && ar rcs $@ $^

# The judges see the headers of the unchanged core: a mutant may not change an interface.
$(FUZZ_HARNESS)/%.o: fuzz/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_FIBERS) -Icore $(FUZZ_DEP) -c $< -o $@
$(FUZZ_HARNESS)/%.o: fuzz/%.S
	@mkdir -p $(@D)
	@$(FUZZ_CC) -Ifuzz -c $< -o $@

# What a target consists of besides judges and core. Those of records share a mutator.
FUZZ_OBJ_api := $(addprefix $(FUZZ_HARNESS)/,fuzz_api.o mutator.o target_core.o)
FUZZ_OBJ_corrupt := $(addprefix $(FUZZ_HARNESS)/,fuzz_corrupt.o mutator.o target_core.o)
FUZZ_OBJ_region := $(FUZZ_HARNESS)/fuzz_region.o
# Target and core are one there, since all of size.h is inline: $(1)/fuzz_size.o of each use.
FUZZ_OBJ_size :=
FUZZ_PART_size := fuzz_size.o
FUZZ_OBJ_options := $(addprefix $(FUZZ_HARNESS)/,fuzz_options.o target_core.o)
# A report does not end the run there: it is what the run has to end in.
FUZZ_LINK_corrupt := -Wl,--wrap=os_abort

# $(1): target, $(2): use of the core.
fuzz_parts = $(FUZZ_OBJ_$(1)) $(addprefix $(FUZZ_BUILD)/$(2)/,$(FUZZ_PART_$(1))) $(FUZZ_JUDGES) \
	$(FUZZ_BUILD)/$(2).a
FUZZ_LINK_END = -Wl,--start-group $^ -Wl,--end-group -lpthread -o $@

# $(1): target. The engines: build/fuzz/NAME libFuzzer, afl/NAME, random/NAME.
define FUZZ_TARGET_RULES
$(FUZZ_BUILD)/$(1): $$(call fuzz_parts,$(1),$(if $(filter api,$(1)),core,core-calm))
	@$(FUZZ_CC) -fsanitize=fuzzer $(FUZZ_UBSAN) $$(FUZZ_LINK_$(1)) $$(FUZZ_LINK_END)
$(FUZZ_BUILD)/afl/$(1): $$(call fuzz_parts,$(1),core-afl)
	@mkdir -p $$(@D)
	@AFL_QUIET=1 $(FUZZ_AFL_CC) -fsanitize=fuzzer $(FUZZ_UBSAN) $$(FUZZ_LINK_$(1)) $$(FUZZ_LINK_END)
$(FUZZ_BUILD)/random/$(1): $(FUZZ_HARNESS)/engine_random.o $(FUZZ_HARNESS)/mutate_bytes.o \
	    $$(call fuzz_parts,$(1),core-replay)
	@mkdir -p $$(@D)
	@$(FUZZ_CC) $(FUZZ_UBSAN) $$(FUZZ_LINK_$(1)) $$(FUZZ_LINK_END)
$(FUZZ_BUILD)/coverage/$(1): $(FUZZ_HARNESS)/engine_random.o $(FUZZ_HARNESS)/mutate_bytes.o \
	    $$(call fuzz_parts,$(1),core-coverage)
	@mkdir -p $$(@D)
	@$(FUZZ_CC) -fprofile-instr-generate $$(FUZZ_LINK_$(1)) $$(FUZZ_LINK_END)
endef
$(foreach t,$(FUZZ_TARGETS),$(eval $(call FUZZ_TARGET_RULES,$(t))))

# How fast api is, without an engine: speed/core as it is fuzzed, and with less and less of what
# makes it slow.
$(FUZZ_BUILD)/speed/%: $(FUZZ_HARNESS)/engine_speed.o $(FUZZ_HARNESS)/mutate_bytes.o \
	    $(FUZZ_OBJ_api) $(FUZZ_JUDGES) $(FUZZ_BUILD)/%.a
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(if $(filter %-plain,$*),,$(FUZZ_UBSAN)) $(FUZZ_LINK_END)

# Another malloc: the programs and the model of api, without the core.
$(FUZZ_BUILD)/random/dynamic: $(addprefix $(FUZZ_HARNESS)/,engine_random.o mutate_bytes.o fuzz_api.o \
	    mutator.o target_dynamic.o) $(FUZZ_JUDGES) $(FUZZ_BUILD)/core-replay.a
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_UBSAN) -ldl $(FUZZ_LINK_END)

$(FUZZ_BUILD)/afl/mutator.so: fuzz/mutator_afl.c fuzz/mutator.c fuzz/mutate_bytes.c fuzz/ops.c
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -Icore -fPIC -shared $^ -o $@

$(FUZZ_BUILD)/replay: $(FUZZ_HARNESS)/replay.o $(FUZZ_HARNESS)/target_core.o $(FUZZ_JUDGES) \
	    $(FUZZ_BUILD)/core-replay.a
	@$(FUZZ_CC) $(FUZZ_UBSAN) $(FUZZ_LINK_END)

# The same on parked threads of the system instead of fibers: thread-local storage is the real one.
# No races are looked for, since nothing else tells their stacks apart.
FUZZ_PARKED := $(FUZZ_BUILD)/parked
FUZZ_PARKED_OBJ := $(FUZZ_CORE_SRC:$(FUZZ_CORE)/%.c=$(FUZZ_PARKED)/core/%.o) \
	$(patsubst fuzz/%.c,$(FUZZ_PARKED)/%.o,$(FUZZ_JUDGE_SRC:%/fiber.c=%/fiber_pthread.c) \
	    fuzz/target_core.c fuzz/states.c fuzz/replay.c)

$(FUZZ_BUILD)/replay-parked: $(FUZZ_PARKED_OBJ)
	@$(FUZZ_CC) $(FUZZ_LINK_END)

$(FUZZ_PARKED)/core/%.o: $(FUZZ_CORE)/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) $(FUZZ_POINTS) -I$(FUZZ_CORE) $(FUZZ_DEP) -c $< -o $@

$(FUZZ_PARKED)/%.o: fuzz/%.c fuzz/fuzz.mk
	@mkdir -p $(@D)
	@$(FUZZ_CC) $(FUZZ_CFLAGS) -Icore $(FUZZ_DEP) -c $< -o $@

$(FUZZ_BUILD)/seeds: $(FUZZ_HARNESS)/seeds.o $(FUZZ_HARNESS)/ops.o
	@mkdir -p $(@D)
	@$(FUZZ_CC) $^ -o $@

-include $(wildcard $(FUZZ_HARNESS)/*.d $(FUZZ_HARNESS)/sim/*.d) $(FUZZ_PARKED_OBJ:.o=.d)

# ---- Commands --------------------------------------------------------------------------------

FUZZ_SPEED := $(addprefix $(FUZZ_BUILD)/speed/,core core-calm core-plain)

.PHONY: fuzz fuzz-build fuzz-speed fuzz-negative mutants minimise replay seeds corpus coverage

FUZZ_IS_OURS := $(filter $(TARGET),$(FUZZ_TARGETS))
FUZZ_PROGRAM = $(FUZZ_BUILD)/$(if $(FUZZ_IS_OURS),$(if $(filter libfuzzer,$(ENGINE)),,$(ENGINE)/)$(TARGET),random/dynamic)

fuzz: $(FUZZ_PROGRAM) $(FUZZ_BUILD)/replay $(if $(filter afl,$(ENGINE)),$(FUZZ_BUILD)/afl/mutator.so)
	@fuzz/run --target $(TARGET) --engine $(if $(FUZZ_IS_OURS),$(ENGINE),random) --time $(FUZZ_TIME) \
	    --jobs $(FUZZ_JOBS) --seed $(FUZZ_SEED) $(if $(FUZZ_RECORDS),--records $(FUZZ_RECORDS)) \
	    $(if $(ALLOW),--allow $(ALLOW))

fuzz-build: $(FUZZ_BUILD)/api $(FUZZ_BUILD)/replay

fuzz-negative: ## plant each fault of fuzz/mutants; the fuzzer must find it
	@fuzz/negative $(FUZZ_MUTANTS)

fuzz-speed: $(FUZZ_SPEED) ## programs of 64 operations a second, with and without what watches them
	@fuzz/speed --build $(FUZZ_BUILD)

# MUTANT_TIME, MUTANT_SEEDS: less is quicker, and says less.
MUTANT_TIME ?= 60
MUTANT_SEEDS ?= 5
MUTANT_PLAIN ?= $(MUTANT_SEEDS)
mutants: ## the same several times with a random baseline, as a table
	@fuzz/negative --nightly --time $(MUTANT_TIME) --seeds $(MUTANT_SEEDS) --plain $(MUTANT_PLAIN) \
	    --table fuzz/mutants/RESULTS.md $(FUZZ_MUTANTS)

minimise: $(FUZZ_BUILD)/replay $(FUZZ_BUILD)/random/$(if $(FUZZ_IS_OURS),$(TARGET),dynamic) ## a crash made small (IN=file TARGET= NAME=)
	@$(if $(IN),,echo 'usage: make minimise IN=file [TARGET=api] [NAME=name]' >&2; exit 2;) \
	    fuzz/minimise --target $(TARGET) $(if $(ALLOW),--allow $(ALLOW)) $(if $(NAME),--name $(NAME)) $(IN)

replay: $(FUZZ_BUILD)/replay ## one fuzz input as a trace (IN=file; C=1: as a C program)
	@$(if $(IN),,echo 'usage: make replay IN=file [C=1]' >&2; exit 2;) \
	    $(FUZZ_BUILD)/replay $(if $(C),--c) $(IN)

# Written aside first, so that a failure leaves the old ones.
seeds: $(FUZZ_BUILD)/seeds ## write the seeds of all fuzz targets anew
	@rm -rf $(FUZZ_BUILD)/seeds.new && mkdir -p $(FUZZ_BUILD)/seeds.new/api
	@$< $(FUZZ_BUILD)/seeds.new/api && fuzz/seeds-others $(FUZZ_BUILD)/seeds.new
	@for t in $(FUZZ_TARGETS); do mkdir -p corpus/$$t && cp $(FUZZ_BUILD)/seeds.new/$$t/* corpus/$$t/; done

corpus: $(addprefix $(FUZZ_BUILD)/,$(FUZZ_TARGETS)) ## merge what fuzzing found into corpus/, kept small
	@fuzz/corpus --build $(FUZZ_BUILD)

coverage: $(addprefix $(FUZZ_BUILD)/coverage/,$(FUZZ_TARGETS)) ## coverage of core/ by corpus/ alone, HTML in build/coverage
	@fuzz/coverage --build $(FUZZ_BUILD)
