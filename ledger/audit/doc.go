// Package audit follows a published log as a stranger: from what it kept of the last visit, a policy and plain reads of the
// log's files it tells whether the log still is what it was, and nothing but more.
//
// It guarantees that a passed visit means: the newest checkpoint meets the policy; the tree that was seen before is a prefix of the new
// one; every leaf since then was read and hashed, every tile above it holds just these hashes, and they make up the signed root. Two
// signed checkpoints that no honest log has are kept as evidence that a third party judges without believing the auditor ([Fork]).
// What is kept on disk is replaced whole or not at all.
//
// [Reconcile] compares such a log with a list of all versions that a vault says it has, in one pass over both.
//
// Memory does not grow with the log or the list. Nothing here signs, and no server beyond the published files is needed.
package audit
