package token

import (
	"errors"
	"fmt"

	"github.com/miekg/pkcs11"
)

// Kinds of failure. Errors of this package wrap exactly one of them.
var (
	ErrNoToken   = errors.New("token: not present")
	ErrPIN       = errors.New("token: wrong PIN")
	ErrPINLocked = errors.New("token: PIN locked")
	ErrNoKey     = errors.New("token: no such key")
	ErrKeyExists = errors.New("token: key of that name exists")
	ErrFailed    = errors.New("token: failed")
)

// kinds says which return values of PKCS#11 (v2.40 §5.1) have a kind of their own.
var kinds = map[pkcs11.Error]error{
	pkcs11.CKR_PIN_INCORRECT:            ErrPIN,
	pkcs11.CKR_PIN_INVALID:              ErrPIN,
	pkcs11.CKR_PIN_LEN_RANGE:            ErrPIN,
	pkcs11.CKR_PIN_LOCKED:               ErrPINLocked,
	pkcs11.CKR_PIN_EXPIRED:              ErrPINLocked,
	pkcs11.CKR_USER_PIN_NOT_INITIALIZED: ErrPINLocked,
	pkcs11.CKR_TOKEN_NOT_PRESENT:        ErrNoToken,
	pkcs11.CKR_TOKEN_NOT_RECOGNIZED:     ErrNoToken,
	pkcs11.CKR_DEVICE_REMOVED:           ErrNoToken,
	pkcs11.CKR_SLOT_ID_INVALID:          ErrNoToken,
	pkcs11.CKR_KEY_HANDLE_INVALID:       ErrNoKey,
	pkcs11.CKR_OBJECT_HANDLE_INVALID:    ErrNoKey,
}

// classify wraps a module's error with its kind. doing is a gerund.
func classify(doing string, err error) error {
	if err == nil {
		return nil
	}
	kind := ErrFailed
	var code pkcs11.Error
	if errors.As(err, &code) {
		if k, ok := kinds[code]; ok {
			kind = k
		}
	}
	return fmt.Errorf("%s: %w: %w", doing, kind, err)
}
