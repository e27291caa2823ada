// Package bundle builds the exported dossier and judges it offline.
//
// [Build] guarantees that what it writes would pass its own judge once signed: every original is compared with its
// manifest and every receipt with the ledger's policy before the last byte is written, and Build fails otherwise. It
// reads originals by range, streams them, and never holds one.
//
// [Verify] guarantees that a file passes only if a person and then an organisation signed the whole of it, and every
// original in it is, byte for byte, what the ledger named by the judge committed to. What it believes comes from
// the judge ([Trust]), never from the file. It needs no network, reads by range, and does not panic on hostile files.
//
// The file is described in BUNDLE.md, the verdict and its codes in VERDICT.md.
package bundle
