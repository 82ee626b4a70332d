# eva.mk: Frama-C Eva over the region. Included by the Makefile.
.PHONY: eva

eva: ## run the region through Frama-C Eva; no alarm may be left unexplained
	@proofs/eva/run
