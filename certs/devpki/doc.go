// Package devpki is a throw-away certificate authority for demonstrations and tests: a root, an issuing CA, an OCSP
// responder, CRLs, and an RFC 3161 time-stamp authority, served over plain HTTP on loopback.
//
// It guarantees that nothing it issues can be taken for the real thing: every certificate says in its subject and in its
// policy that it is a test and not valid, and the policy is of the arc 2.999, which ITU-T X.660 reserves for examples.
// Its keys lie unencrypted in a folder that only the owner may read. Never add its root to anything of value.
package devpki
