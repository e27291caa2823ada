package envelope

import (
	"crypto/cipher"
	"fmt"
)

// The layout of a box: format id, salt, AES-256-GCM ciphertext with its tag.
const (
	boxMagic    = "TRIENBX1"
	boxSaltSize = 24
	boxInfo     = "trien/envelope/box/v1"
	boxOverhead = magicSize + boxSaltSize + tagSize
)

// SealBytes encrypts a small secret (a salt, a prepared revision) held in memory: plain and 48 bytes more. associated binds
// it to its place. Key and nonce of the cipher are derived from key and a random salt of 192 bits, so one key may
// seal any number of boxes.
func SealBytes(key DataKey, plain, associated []byte) []byte {
	var salt [boxSaltSize]byte
	fill(salt[:])
	return sealBox(key, salt, plain, associated)
}

func sealBox(key DataKey, salt [boxSaltSize]byte, plain, associated []byte) []byte {
	aead, nonce, err := boxCipher(key, salt[:])
	if err != nil {
		// Sizes are constants here; a cipher that refuses them means that the program must not go on.
		panic(err)
	}
	box := make([]byte, 0, len(plain)+boxOverhead)
	box = append(box, boxMagic...)
	box = append(box, salt[:]...)
	return aead.Seal(box, nonce, plain, boxAssociated(associated))
}

// OpenBytes returns what was sealed, or [ErrTampered].
func OpenBytes(key DataKey, box, associated []byte) ([]byte, error) {
	if len(box) < boxOverhead || string(box[:magicSize]) != boxMagic {
		return nil, fmt.Errorf("%w: not a sealed box", ErrTampered)
	}
	salt, sealed := box[magicSize:magicSize+boxSaltSize], box[magicSize+boxSaltSize:]
	aead, nonce, err := boxCipher(key, salt)
	if err != nil {
		return nil, err
	}
	plain, err := aead.Open(nil, nonce, sealed, boxAssociated(associated))
	if err != nil {
		return nil, fmt.Errorf("%w: box", ErrTampered)
	}
	return plain, nil
}

func boxCipher(key DataKey, salt []byte) (aead cipher.AEAD, nonce []byte, err error) {
	b, err := key.derive(salt, []byte(boxInfo), keySize+nonceSize)
	if err != nil {
		return nil, nil, err
	}
	aead, err = newGCM(b[:keySize])
	return aead, b[keySize:], err
}

func boxAssociated(associated []byte) []byte {
	return append([]byte(boxMagic), associated...)
}
