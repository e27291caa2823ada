// Package pdf reads PDF files by range, appends revisions to them and writes new files around the pages of others.
// It has no cgo and draws nothing: content streams and images are carried, not rendered.
//
// What it guarantees:
//
//   - A file is never held in memory. A [Document] keeps the cross-reference (about 20 bytes per object), a cache of
//     small objects and at most a few decoded object streams; streams are read by range.
//   - Hostile input ends in an error that wraps [ErrDamaged], [ErrUnsupported] or [ErrEncrypted], never in a panic, an endless
//     loop or memory without bound. The limits stand in limits.go.
//   - A damaged cross-reference is refused, not rebuilt: what two readers could understand in two ways must not be signed.
//   - An [Update] yields only the bytes to append; the base is neither copied nor changed.
//   - A [Writer] writes in one pass to an io.Writer.
//
// The standard followed is ISO 32000-1 (PDF 1.7); PDF 2.0 files are read.
package pdf
