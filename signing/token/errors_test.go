package token

import (
	"errors"
	"fmt"
	"testing"

	"github.com/miekg/pkcs11"
)

// TestClassify: SoftHSM2 locks no PIN and cannot be pulled out, so these kinds are tested by the values that modules return.
func TestClassify(t *testing.T) {
	tests := []struct {
		code uint
		want error
	}{
		{pkcs11.CKR_PIN_INCORRECT, ErrPIN},
		{pkcs11.CKR_PIN_LEN_RANGE, ErrPIN},
		{pkcs11.CKR_PIN_LOCKED, ErrPINLocked},
		{pkcs11.CKR_TOKEN_NOT_PRESENT, ErrNoToken},
		{pkcs11.CKR_DEVICE_REMOVED, ErrNoToken},
		{pkcs11.CKR_KEY_HANDLE_INVALID, ErrNoKey},
		{pkcs11.CKR_GENERAL_ERROR, ErrFailed},
	}
	for _, tt := range tests {
		err := classify("signing", fmt.Errorf("in between: %w", pkcs11.Error(tt.code)))
		if !errors.Is(err, tt.want) {
			t.Errorf("%x: got %v, want %v", tt.code, err, tt.want)
		}
	}
	if err := classify("signing", nil); err != nil {
		t.Error(err)
	}
}

func TestPick(t *testing.T) {
	infos := []Info{{Label: "a", Serial: "1"}, {Label: "a", Serial: "2"}, {Label: "b", Serial: "3"}}
	tests := []struct {
		label, serial string
		want          string
	}{
		{"a", "2", "2"}, {"b", "", "3"}, {"", "1", "1"}, {"a", "", ""}, {"", "", ""}, {"b", "1", ""},
	}
	for _, tt := range tests {
		got, err := pick(infos, Config{Label: tt.label, Serial: tt.serial})
		if got.Serial != tt.want || (err == nil) != (tt.want != "") || (err != nil && !errors.Is(err, ErrNoToken)) {
			t.Errorf("%q %q: %q %v", tt.label, tt.serial, got.Serial, err)
		}
	}
}
