// Package certs decides which certificates may answer for a signature.
//
// It guarantees that a chain it returns ends in one of the anchors given, that this anchor is believed for the purpose and at the time given (TRUST.md),
// that the chain holds at that time, and is fit for the purpose (RFC 5280 path validation by crypto/x509, key usage and extended key usage on top), and that
// revocation evidence it accepts is signed by the issuer of the certificate or by a responder that this issuer named
// (RFC 6960, RFC 5280 §5). It never uses the system's roots and never goes to the network on its own: only a [Fetcher]
// does, with time and size limits.
//
// # Who asks what
//
//   - Judging a document, with what it carries: [Anchors.Chain] and [Evidence]. No network.
//   - Before a person signs or the organisation seals, and when somebody looks: [Fetcher.Check], by a [RevocationPolicy].
//   - What a document is to carry (B-LT): [Fetcher.Complete] for its chain and [Fetcher.Collect] for the statements.
//   - Which certificates end soon: [ExpiryWarnings].
//
// # Asking
//
// OCSP requests have a nonce (RFC 9654). An answer with a nonce must have ours; one without must be younger than ten days, or an hour if it does not say when
// it ends. Lists are read as streams, so their length is bounded by patience and not by memory; delta lists, where a certificate or a list names them,
// are laid over complete ones (RFC 5280 §5.2.4). Lists that are indirect or partial are refused. With a [Cache] each place is asked once until what
// it said ends.
package certs
