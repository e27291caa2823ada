// Package witness asks witnesses to co-sign a log's checkpoints, and is one: both sides of c2sp.org/tlog-witness.
//
// [Client] gives a checkpoint to all witnesses of a policy at once and returns it with every co-signature that holds. It
// believes no witness: answers are bounded, signatures are judged, and a claim that the log forked counts as proof only
// with a second checkpoint signed by the log ([ForkError]); without one it is a [DisputeError].
//
// [Server] co-signs a checkpoint only if it extends every checkpoint of that log that it co-signed before. What it
// co-signed is on disk, durably, before it answers: killed at any moment, it comes back with the state of its last answer
// or with the state of a request that it had accepted and not yet answered.
package witness
