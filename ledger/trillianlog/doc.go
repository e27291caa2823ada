// Package trillianlog is the log: Trillian keeps the leaves, this package decides what is signed.
//
// It guarantees that
//   - what [Log.Append] acknowledged is durable and will be in the log exactly once;
//   - a checkpoint is signed only for a tree that extends the last one signed, recomputed from the leaves themselves:
//     Trillian's hashes and roots are compared, never believed. A rolled-back, forked or changed Trillian database stops
//     the log with [ledger.ErrForked] or [ledger.ErrTampered] instead of being signed;
//   - a receipt was verified before it is returned;
//   - memory does not grow with the log.
//
// Trillian runs inside the process on PostgreSQL, or outside behind gRPC. Either way the last signed head, the index of
// entries and the tiles live in the PostgreSQL schema "ledger", which Trillian does not know. Any number of nodes may
// append and prove; the one that holds a PostgreSQL advisory lock sequences and signs, with the very connection that
// holds it, and another takes over when that connection ends.
//
// # Publishing
//
// Where the log has a public copy, the node that holds the lock shows it to strangers every second when it grew and every
// minute otherwise: tiles first, each proven, then the time line, then the witnesses, then the row of what was published, then
// the checkpoint. It goes on from what the copy has, whatever step it died after. Tiles are never changed; one that is not what it
// should be stops the publishing, one that is missing is put again. A time line never goes back: while the clock is behind
// what was said before, checkpoints carry none. A checkpoint that the policy's witnesses have not signed is not shown; receipts
// of our own go on. A partial tile goes once the full one is named by a published checkpoint.
//
// The head of the schema "ledger" cannot show that the whole database was restored from a backup. Therefore each node
// compares it with the public copy whenever it has taken the lock, before it signs, and the witnesses do so whenever they are
// asked: the log then stops with a [ForkError], both checkpoints are logged and kept in table ledger.fork, and nothing is
// signed any more. While the copy cannot be read at that moment, nothing is signed either; entries wait.
//
// # Trillian's traps, and the tests that hold them
//
//	a failing database answers with success, no proof and a root of size 0   TestSizeZeroRootIsNoFork, TestParseRefusesEmptyAnswers
//	a MaxRootDuration rolls heads back under two sequencers                    TestTreeWithRootDurationIsRefused
//	a duplicate within a batch fails all of it                                 TestAppendIdentities, TestGroupCommit
//	an old leaf silently keeps its value                                       TestAppendIdentities
//	a planner that reads a whole table for one row                             TestPoolPlansForRandomReads
//	a tampered leaf value is served                                            TestChangedLeafValue, TestChangedLeafValueAndHash
//	64 callers are slower than 16                                              TestGroupCommit, TestPoolPlansForRandomReads
//	a row of TreeHead for each batch                                           TestOldRootsGo
//	a queue time of the future delays a leaf, a clock set back stops the log   TestClocks
//	a database restored from a backup                                          TestRollback…, TestFork…, TestDatabaseRestored
//	Trillian away, slow or restarted                                           TestOpenWithout…, TestOutsideTrillianKilled
//	the schema is not embedded and not idempotent                              TestTrillianSchemaIsTheModules, TestOpenAgain
package trillianlog
