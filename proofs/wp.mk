# Proofs of the region core. `make prove` proves everything; FILE= and FCT= narrow it.
PROVE_JOBS ?= 3

.PHONY: prove prove-faults
prove:
	@proofs/prove --jobs $(PROVE_JOBS) $(if $(FILE),--file $(FILE)) $(if $(FCT),--function $(FCT))

# Each planted fault of proofs/faults must turn the gate red.
prove-faults:
	@proofs/prove --jobs $(PROVE_JOBS) --faults
