// Package policy decides who may do what, by rules that stand in files which an auditor can read: see POLICY.md.
//
// It guarantees that what no rule permits is refused; that a rule which forbids goes before every rule which permits; that a fact which is
// not known permits nothing; that a rule which cannot be evaluated refuses; and that rules added from outside can only forbid. It is pure:
// the caller brings the facts, and records the decision.
//
// Rules are Cedar policies (docs.cedarpolicy.com), evaluated by cedar-go and checked against schema.cedarschema before the first question.
package policy
