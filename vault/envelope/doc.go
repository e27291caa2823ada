// Package envelope keeps content secret and whole outside our walls: a fresh data key per object, a streaming AEAD whose
// every byte is authenticated before it is handed out, and key wrapping that binds a data key to the place it belongs to.
//
// It guarantees that
//   - a sealed object opens only under its own data key and the associated data it was sealed with: an object moved
//     under another version, cut, reordered, spliced or changed in one bit does not open ([ErrTampered]);
//   - no plaintext is returned before it was authenticated, also when an object is read by range;
//   - memory stays bounded whatever the size of an object;
//   - keys show neither in logs nor in errors.
//
// The bytes are described in FORMAT.md: a 40-byte prefix of ours and then a stream as Tink's AES256-GCM-HKDF 64 KiB
// writes it, so that another implementation can open our objects.
package envelope
