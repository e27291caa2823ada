// Package ledger holds the formats and the judgement of the append-only log:
// manifests, access events and their batches, leaves, checkpoints, receipts and policies.
//
// It guarantees that each of these texts has exactly one form. A parser accepts
// what the matching MarshalText writes and nothing else, so a changed byte is
// either refused as [ErrMalformed] or breaks a hash or signature ([ErrTampered],
// [ErrPolicy]). [Verify] needs a policy, a leaf and a receipt, and neither
// network nor database.
//
// The formats are described in FORMATS.md, with an example that sha256sum and
// openssl recompute. Receipts follow c2sp.org/tlog-proof@v1, checkpoints
// c2sp.org/tlog-checkpoint, the times of logs and witnesses
// c2sp.org/tlog-cosignature (Ed25519) and policies c2sp.org/tlog-policy; of each we accept a canonical subset that other
// people's tools read unchanged.
package ledger
