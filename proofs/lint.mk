# lint.mk: what the proofs claim is what they prove. Included by the Makefile.
.PHONY: prove-lint lint-flags

prove-lint: ## check that what the proofs claim is what they prove (see proofs/lint --help)
	@proofs/lint

# The compiler's command for a core file, for proofs/lint to preprocess with.
lint-flags:
	@echo $(COMPILE) $(CORE_FLAGS)
