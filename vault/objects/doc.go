// Package objects keeps ciphertext in S3, through minio-go, which no other package imports.
//
// It guarantees that an object which Put acknowledged is whole and is the one that was sent (checked on the way with CRC-32C,
// part by part), that no put ever replaces an object (If-None-Match, also where a large object is put together), that a
// failed put leaves nothing behind unless the connection was lost, and that a put needs the memory of two parts at most,
// however long the object.
//
// It works with any S3 that honours conditional puts; [Open] tries that and refuses one that does not.
package objects
