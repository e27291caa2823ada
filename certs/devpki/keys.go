package devpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"fmt"
)

// Keys is a kind of key.
type Keys string

const (
	P256    Keys = "P-256"
	P384    Keys = "P-384"
	P521    Keys = "P-521"
	RSA2048 Keys = "RSA-2048"
	RSA3072 Keys = "RSA-3072"
	RSA4096 Keys = "RSA-4096"
)

// Generate makes a key of the kind; "" is P256. Errors wrap ErrSubject.
func (k Keys) Generate() (crypto.Signer, error) {
	var key crypto.Signer
	var err error
	switch k {
	case "", P256:
		key, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	case P384:
		key, err = ecdsa.GenerateKey(elliptic.P384(), rand.Reader)
	case P521:
		key, err = ecdsa.GenerateKey(elliptic.P521(), rand.Reader)
	case RSA2048:
		key, err = rsa.GenerateKey(rand.Reader, 2048)
	case RSA3072:
		key, err = rsa.GenerateKey(rand.Reader, 3072)
	case RSA4096:
		key, err = rsa.GenerateKey(rand.Reader, 4096)
	default:
		return nil, fmt.Errorf("%w: kind of key %q", ErrSubject, string(k))
	}
	if err != nil {
		return nil, fmt.Errorf("making keys: %w", err)
	}
	return key, nil
}

// checkKey says whether a leaf may have the key.
func checkKey(pub crypto.PublicKey) error {
	switch k := pub.(type) {
	case *rsa.PublicKey:
		if k.N.BitLen() >= 2048 {
			return nil
		}
	case *ecdsa.PublicKey:
		if k.Curve == elliptic.P256() || k.Curve == elliptic.P384() || k.Curve == elliptic.P521() {
			return nil
		}
	}
	return fmt.Errorf("%w: key must be RSA of 2048 bits or more, P-256, P-384 or P-521", ErrSubject)
}
