// Package tiles lays a log out as C2SP tlog-tiles (tiles of height 8, entry bundles beside them) and computes proofs
// from that layout.
//
// It guarantees that what [Edge] emits is immutable: a tile's bytes follow from its coordinates and the leaves below
// them, so writing one twice writes the same bytes. Memory does not grow with the log: an [Edge] holds at most 255
// hashes a level and 255 leaves, a [Reader] a fixed number of tiles.
//
// A Reader does not judge what it reads: a changed tile gives a proof that does not verify. Its callers check every
// proof against a signed root with ledger.CheckInclusion or ledger.CheckConsistency before they pass it on.
package tiles
