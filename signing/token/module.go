package token

import (
	"errors"
	"fmt"
	"strings"
	"sync"

	"github.com/miekg/pkcs11"
)

// modules guards all loading, opening and closing: PKCS#11 initialises a library once per process, whoever asks.
var modules sync.Mutex

// Info describes a token that is plugged in.
type Info struct {
	Label, Serial, Model, Manufacturer string
	PINLocked                          bool
	LastTry                            bool // one more wrong PIN locks it
	FewTries                           bool // a wrong PIN was given since the last right one
	PINPad                             bool // the reader asks the PIN itself: give none

	slot uint
}

// List returns the initialised tokens that the module sees, without logging in. Errors wrap ErrFailed.
func List(module string) ([]Info, error) {
	modules.Lock()
	defer modules.Unlock()
	return list(module)
}

func list(module string) (infos []Info, err error) {
	err = withModule(module, func(p *pkcs11.Ctx) error {
		infos, err = tokens(p)
		return err
	})
	return infos, err
}

// withModule loads a module for f. Where a token is open already, the library is initialised and stays so.
func withModule(module string, f func(p *pkcs11.Ctx) error) (err error) {
	p := pkcs11.New(module)
	if p == nil {
		return fmt.Errorf("loading PKCS#11 module: %w: it cannot be opened as a library", ErrFailed)
	}
	defer p.Destroy()
	initErr := p.Initialize()
	if initErr == nil {
		defer func() {
			if finErr := p.Finalize(); finErr != nil && err == nil {
				err = classify("closing PKCS#11 module", finErr)
			}
		}()
	} else if !errors.Is(initErr, pkcs11.Error(pkcs11.CKR_CRYPTOKI_ALREADY_INITIALIZED)) {
		return classify("starting PKCS#11 module", initErr)
	}
	return f(p)
}

// tokens lists the initialised tokens.
func tokens(p *pkcs11.Ctx) (infos []Info, err error) {
	slots, err := p.GetSlotList(true)
	if err != nil {
		return nil, classify("listing tokens", err)
	}
	for _, slot := range slots {
		t, err := p.GetTokenInfo(slot)
		if err != nil {
			if errors.Is(classify("", err), ErrNoToken) {
				continue // pulled out just now
			}
			return nil, classify("reading token", err)
		}
		if t.Flags&pkcs11.CKF_TOKEN_INITIALIZED == 0 {
			continue
		}
		infos = append(infos, Info{
			Label: trim(t.Label), Serial: trim(t.SerialNumber), Model: trim(t.Model), Manufacturer: trim(t.ManufacturerID),
			PINLocked: t.Flags&pkcs11.CKF_USER_PIN_LOCKED != 0, LastTry: t.Flags&pkcs11.CKF_USER_PIN_FINAL_TRY != 0,
			FewTries: t.Flags&pkcs11.CKF_USER_PIN_COUNT_LOW != 0,
			PINPad:   t.Flags&pkcs11.CKF_PROTECTED_AUTHENTICATION_PATH != 0, slot: slot,
		})
	}
	return infos, nil
}

// trim removes the blanks and zero bytes that PKCS#11 pads fixed fields with.
func trim(s string) string { return strings.TrimRight(s, " \x00") }

// pick returns the one token that the configuration names.
func pick(infos []Info, cfg Config) (Info, error) {
	var found []Info
	for _, i := range infos {
		if (cfg.Label == "" || i.Label == cfg.Label) && (cfg.Serial == "" || i.Serial == cfg.Serial) {
			found = append(found, i)
		}
	}
	switch len(found) {
	case 1:
		return found[0], nil
	case 0:
		return Info{}, fmt.Errorf("looking for the token: %w: none of %d plugged in has that label and serial number", ErrNoToken, len(infos))
	default:
		return Info{}, fmt.Errorf("looking for the token: %w: %d fit; name one by its serial number", ErrNoToken, len(found))
	}
}
