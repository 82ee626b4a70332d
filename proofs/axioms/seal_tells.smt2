; A header's seal matches one state at most.
;
; seal_of() in core/granule.h, word for word, over the machine's own 16 and 64 bits: two states
; whose secrets differ never give one header the same seal. Expected answer: unsat.
(set-logic QF_BV)
(declare-const address (_ BitVec 64))
(declare-const size (_ BitVec 32))
(declare-const flags (_ BitVec 8))
(declare-const secret (_ BitVec 64))
(declare-const multiplier (_ BitVec 64))
(declare-const one (_ BitVec 16))
(declare-const other (_ BitVec 16))
(define-fun hash () (_ BitVec 16)
  ((_ extract 63 48)
    (bvmul multiplier
      (bvxor
        (bvmul address secret)
        ((_ zero_extend 32) size)
        (bvshl ((_ zero_extend 56) flags) (_ bv56 64))))))
(assert (distinct one other))
(assert (= (bvxor hash one) (bvxor hash other)))
(check-sat)
