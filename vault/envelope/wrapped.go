package envelope

import (
	"context"
	"encoding/binary"
	"fmt"
)

// The layout of a wrapped key: format id, version of the key-encryption key (big-endian), a box that holds the data key.
const (
	wrappedMagic    = "TRIENWK1"
	wrappedHeadSize = magicSize + 4
	wrappedSize     = wrappedHeadSize + boxOverhead + keySize
)

// Wrap encrypts a data key under the newest key-encryption key; the result has 92 bytes and may be stored anywhere. place
// (register and version id) must be given again to unwrap.
func (k *Keyring) Wrap(_ context.Context, key DataKey, place []byte) ([]byte, error) {
	k.mu.RLock()
	newest := k.keys[len(k.keys)-1]
	k.mu.RUnlock()
	head := wrappedHead(newest.version)
	return append(head, SealBytes(newest.key, key[:], wrappedAssociated(head, place))...), nil
}

// Unwrap returns the data key; [ErrTampered] if wrapped or place differ from what Wrap had, [ErrNoKey] if wrapped names a
// version that this keyring does not hold.
func (k *Keyring) Unwrap(_ context.Context, wrapped, place []byte) (DataKey, error) {
	version, box, err := parseWrapped(wrapped)
	if err != nil {
		return DataKey{}, err
	}
	kek, ok := k.find(version)
	if !ok {
		return DataKey{}, fmt.Errorf("%w: version %d", ErrNoKey, version)
	}
	plain, err := OpenBytes(kek, box, wrappedAssociated(wrapped[:wrappedHeadSize], place))
	if err != nil {
		return DataKey{}, fmt.Errorf("unwrapping a key: %w", err)
	}
	return DataKey(plain), nil // parseWrapped saw to its length
}

func (k *Keyring) find(version uint32) (DataKey, bool) {
	k.mu.RLock()
	defer k.mu.RUnlock()
	for _, have := range k.keys {
		if have.version == version {
			return have.key, true
		}
	}
	return DataKey{}, false
}

// WrappedVersion tells under which version of the key-encryption key a key was wrapped, without opening it, so that what
// stands under an old one can be found and wrapped anew. It says nothing about whether the key opens.
func WrappedVersion(wrapped []byte) (uint32, error) {
	version, _, err := parseWrapped(wrapped)
	return version, err
}

func parseWrapped(b []byte) (version uint32, box []byte, err error) {
	if len(b) != wrappedSize || string(b[:magicSize]) != wrappedMagic {
		return 0, nil, fmt.Errorf("%w: not a wrapped key", ErrTampered)
	}
	return binary.BigEndian.Uint32(b[magicSize:]), b[wrappedHeadSize:], nil
}

func wrappedHead(version uint32) []byte {
	head := make([]byte, 0, wrappedSize)
	head = append(head, wrappedMagic...)
	return binary.BigEndian.AppendUint32(head, version)
}

// wrappedAssociated binds a wrapped key to its version and its place. The head's length is fixed, so no two pairs coincide.
func wrappedAssociated(head, place []byte) []byte {
	return append(append([]byte(nil), head...), place...)
}
