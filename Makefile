# Makefile: `make help` lists the targets.
#
# Whatever is built goes below $(BUILD). The objects of each compiler have a folder of their own
# there, so that gcc and clang stand side by side; $(BUILD)/libchunkproof.* are links to the
# libraries made last. A test or tool of this file never writes elsewhere.

BUILD  ?= build
PREFIX ?= /usr/local
ifeq ($(origin CC),default)
CC := gcc
endif

# `make V=1` shows each command in full.
Q := $(if $(V),,@)
say = $(if $(V),,@echo '  $(1) $@')

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:

# ---- Flags ---------------------------------------------------------------------------------

# The same set under gcc and clang. None of -Wall and -Wextra is switched off.
WARNINGS := -Werror -Wall -Wextra -Wconversion -Wsign-conversion -Wshadow -Wundef -Wvla \
    -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wredundant-decls \
    -Wnested-externs -Wpointer-arith -Wcast-qual -Wcast-align -Wwrite-strings -Wformat=2 \
    -Wdouble-promotion -Wfloat-equal -Wimplicit-fallthrough -Wnull-dereference -Wdate-time

CFLAGS ?= -O3 -g
COMPILE = $(CC) -std=gnu11 -D_GNU_SOURCE $(WARNINGS) $(CPPFLAGS) $(CFLAGS) -MMD -MP

# Without -fno-builtin the compiler makes calloc of malloc and memset, in calloc itself.
# initial-exec: the only thread-local variable is read in the fast path, and a dynamic one may
# itself be allocated by malloc. hidden: the library exports what says CP_PUBLIC, nothing else.
CORE_FLAGS := -fPIC -fvisibility=hidden -fno-semantic-interposition -ftls-model=initial-exec \
    $(addprefix -fno-builtin-,malloc calloc realloc free aligned_alloc memalign posix_memalign)

# The region's layers are small functions in files of their own: inlined across them, as gcc can
# when it links, they take a fifth fewer instructions. Fat objects serve the archive as well; the
# seed makes two builds equal.
LTO = $(if $(findstring gcc,$(CC)),-flto=auto -ffat-lto-objects -frandom-seed=$(<F))

# now, relro: no writable function pointers. nodelete: the hooks for thread exit and fork stay.
SONAME   := libchunkproof.so.0
SO_FLAGS := -shared -pthread -Wl,-soname,$(SONAME) -Wl,-z,now,-z,relro,-z,nodelete,-z,defs \
    -Wl,-Bsymbolic-functions

# The tests mean every call they write; the compiler must not fold malloc and free away.
TEST_FLAGS := -Icore -pthread -fno-builtin

# ---- Files ---------------------------------------------------------------------------------

TOOL := $(notdir $(lastword $(CC)))
OBJ  := $(BUILD)/$(TOOL)

CORE := $(sort $(wildcard core/*.c))
OBJECTS := $(CORE:core/%.c=$(OBJ)/%.o)
# Without the names of the C library: what a test links that keeps the C library's malloc.
CP_OBJECTS   := $(filter-out $(OBJ)/malloc.o,$(OBJECTS))
TSAN_OBJECTS := $(CP_OBJECTS:$(OBJ)/%=$(OBJ)/tsan/%)

tests = $(patsubst core/test/%.c,$(OBJ)/test/%,$(sort $(wildcard core/test/$(1)_*.c)))
UNIT_TESTS    := $(call tests,test)
PRELOAD_TESTS := $(call tests,preload)
TSAN_TESTS    := $(call tests,tsan)

# ---- The library ---------------------------------------------------------------------------

.PHONY: all test check check-format check-cppcheck check-tidy check-compilers \
    format fuzz prove bench-first install setup clean help FORCE

all: $(BUILD)/libchunkproof.so $(BUILD)/libchunkproof.a ## build the shared and the static library (CC=gcc or clang)

# Made anew each time, because it must follow CC; dependents see the date of what it points to.
$(BUILD)/libchunkproof.%: $(OBJ)/libchunkproof.% FORCE
	@ln -sfn $(TOOL)/$(@F) $@

$(OBJ)/libchunkproof.so: $(OBJECTS)
	$(call say,LD)
	$(Q)$(CC) $(CFLAGS) $(LTO) $(LDFLAGS) $(SO_FLAGS) -o $@ $^

$(OBJ)/libchunkproof.a: $(OBJECTS)
	$(call say,AR)
	$(Q)rm -f $@
	$(Q)$(AR) rcs $@ $^

$(OBJ)/%.o: core/%.c Makefile | $(OBJ)
	$(call say,CC)
	$(Q)$(COMPILE) $(CORE_FLAGS) $(LTO) -c -o $@ $<

$(OBJ) $(OBJ)/test $(OBJ)/tsan:
	$(Q)mkdir -p $@

install: all ## install library and header below PREFIX (and DESTDIR)
	install -d $(DESTDIR)$(PREFIX)/lib $(DESTDIR)$(PREFIX)/include
	install -m 755 $(OBJ)/libchunkproof.so $(DESTDIR)$(PREFIX)/lib/$(SONAME)
	ln -sfn $(SONAME) $(DESTDIR)$(PREFIX)/lib/libchunkproof.so
	install -m 644 $(OBJ)/libchunkproof.a $(DESTDIR)$(PREFIX)/lib
	install -m 644 core/chunkproof.h $(DESTDIR)$(PREFIX)/include

# ---- Tests ---------------------------------------------------------------------------------

test: setup all $(UNIT_TESTS) $(PRELOAD_TESTS) $(TSAN_TESTS) ## build and run every test (ONLY=pattern: those whose name contains it)
	@ci/run-tests --build $(BUILD) --tests $(OBJ)/test $(if $(ONLY),--only '$(ONLY)')

# Unit tests see the internals: they are linked with the objects.
$(UNIT_TESTS): $(OBJ)/test/%: core/test/%.c $(CP_OBJECTS) Makefile | setup $(OBJ)/test
	$(call say,LD)
	$(Q)$(COMPILE) $(TEST_FLAGS) -o $@ $< $(CP_OBJECTS) -lcmocka

# Ordinary programs that know nothing of the library until it is preloaded.
$(PRELOAD_TESTS): $(OBJ)/test/%: core/test/%.c Makefile | setup $(OBJ)/test
	$(call say,LD)
	$(Q)$(COMPILE) $(TEST_FLAGS) -o $@ $<

$(TSAN_TESTS): $(OBJ)/test/%: core/test/%.c $(TSAN_OBJECTS) Makefile | setup $(OBJ)/test
	$(call say,LD)
	$(Q)$(COMPILE) $(TEST_FLAGS) -fsanitize=thread -o $@ $< $(TSAN_OBJECTS)

$(OBJ)/tsan/%.o: core/%.c Makefile | $(OBJ)/tsan
	$(call say,CC)
	$(Q)$(COMPILE) $(CORE_FLAGS) -fsanitize=thread -c -o $@ $<

# ---- Static checks -------------------------------------------------------------------------

FORMATTED = $(wildcard core/*.[ch] core/test/*.[ch] fuzz/*.[ch] fuzz/sim/*.[ch] \
    fuzz/misuse/*.[ch] ci/bench/*.[ch] ci/experiments/*.[ch])

check: check-format check-cppcheck check-tidy check-compilers ## formatting, cppcheck, clang-tidy, and a build under both compilers

check-format: setup
	clang-format --dry-run -Werror --ferror-limit=1 $(FORMATTED)

# duplicateAssignExpression: two sums that start from one value are no mistake.
check-cppcheck: setup
	cppcheck --quiet --std=c11 --error-exitcode=1 --inline-suppr -D_GNU_SOURCE -Icore \
	    --enable=warning,performance,portability --suppress=duplicateAssignExpression $(CORE)

check-tidy: setup
	printf '%s\n' $(CORE) | \
	    xargs -P 2 -n 1 sh -c 'clang-tidy --quiet "$$0" -- -std=gnu11 -D_GNU_SOURCE -Icore'

check-compilers: setup
	$(MAKE) CC=clang $(BUILD)/clang/libchunkproof.so
	$(MAKE) CC=gcc all

format: setup ## rewrite the C files as .clang-format has it
	clang-format -i $(FORMATTED)

# ---- Other pillars; each folder brings its own rules ----------------------------------------

fuzz: setup ## fuzz a target on an engine (TARGET= ENGINE= FUZZ_TIME=seconds)
prove: setup ## prove the region core with Frama-C
# Not -include: without its rules, `make prove` would pass and have proved nothing.
include fuzz/fuzz.mk proofs/wp.mk ci/bench.mk core/test/exhaust.mk proofs/lint.mk proofs/eva.mk \
    proofs/runtime.mk

# ---- Speed ---------------------------------------------------------------------------------

bench-first: all $(OBJ)/pair ## first speed figures against the C library's malloc (SEED=n)
	@ci/bench/first.sh $(BUILD)/libchunkproof.so $(OBJ)/pair $(SEED)

$(OBJ)/pair: ci/bench/pair.c Makefile | $(OBJ)
	$(call say,LD)
	$(Q)$(COMPILE) $(TEST_FLAGS) -o $@ $<

# ---- The rest ------------------------------------------------------------------------------

setup: ## install the tools that ci/packages names, if any is missing
	@ci/setup

clean: ## remove everything built
	rm -rf $(BUILD)

help: ## this list
	@awk -F ':.*## ' '/^[a-z][a-z-]*:.*## / { printf "make %-12s %s\n", $$1, $$2 }' $(filter-out %.d,$(MAKEFILE_LIST))

-include $(wildcard $(OBJ)/*.d $(OBJ)/test/*.d $(OBJ)/tsan/*.d)
