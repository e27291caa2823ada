// Package certs decides which certificates may answer for a signature.
//
// It guarantees that a chain it returns ends in one of the anchors given, holds at the time given, and is fit for the
// purpose given (RFC 5280 path validation by crypto/x509, key usage and extended key usage on top), and that
// revocation evidence it accepts is signed by the issuer of the certificate or by a responder that this issuer named
// (RFC 6960, RFC 5280 §5). It never uses the system's roots and never goes to the network on its own: only a [Fetcher]
// does, with time and size limits.
package certs
