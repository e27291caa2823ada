// Package signing signs PDF documents and judges the signatures in them: PAdES (ETSI EN 319 142-1) at the levels B-B to B-LTA.
//
// Signing guarantees: the result starts with the bytes given; the key signs nothing but attributes over the digest of the whole revision;
// a signature is embedded only if it verifies against the certificate expected and the document prepared; a time-stamp only if it answers our
// own request and chains to an anchor; revocation evidence only if it was checked.
//
// Judging guarantees: [Report.Indication] is [Passed] only if every signature field is accounted for, covers its revision but for its own
// container, verifies, and chains to the anchors given at a time that is proven or now, with evidence that nothing was revoked; and only if
// later revisions added nothing but signatures, time-stamps and evidence. With [InspectOptions.Strict] no byte of the file can
// change without the indication changing. Judging needs no network and never trusts what the file says of itself.
//
// Both read documents by range: memory does not grow with the file.
package signing
