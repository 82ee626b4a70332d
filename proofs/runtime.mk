# Contracts checked at run time: proofs/runtime/translate writes a core that checks the contracts of
# the proofs around each call, and the fuzz target `region` runs on it.
#
#   make contracts [FUZZ_TIME=60] [FUZZ_SEED=1]
CONTRACTS := $(BUILD)/contracts
CONTRACTS_CORE ?= core
CONTRACTS_PROGRAMS ?= region random/region

.PHONY: contracts contracts-build
# What did not change keeps its date, so that little is built again.
contracts-build:
	@proofs/runtime/translate $(CONTRACTS_CORE) $(CONTRACTS)/core.new
	@mkdir -p $(CONTRACTS)/core && for f in $(CONTRACTS)/core.new/*; do \
	    cmp -s $$f $(CONTRACTS)/core/$${f##*/} || cp $$f $(CONTRACTS)/core/; done
	@$(MAKE) -s -f fuzz/fuzz.mk FUZZ_CORE=$(CONTRACTS)/core FUZZ_BUILD=$(CONTRACTS) \
	    $(addprefix $(CONTRACTS)/,$(CONTRACTS_PROGRAMS))

contracts: contracts-build ## fuzz the region core with the proofs' contracts checked at run time
	@CONTRACTS_REPORT=1 $(CONTRACTS)/random/region --once corpus/region
	@fuzz/run --build $(CONTRACTS) --target region --time $(FUZZ_TIME) --seed $(FUZZ_SEED)
