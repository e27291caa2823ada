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
// The head of the schema "ledger" cannot show that the whole database was restored from a backup: witnesses, mirrors of
// the tiles and everyone who kept a checkpoint do.
package trillianlog
