package main

import (
	"bytes"
	"crypto/ed25519"
	"testing"

	"github.com/google/uuid"
)

func sampleEnrolment() *enrolment {
	key := ed25519.NewKeyFromSeed(bytes.Repeat([]byte{1}, ed25519.SeedSize))
	return &enrolment{
		server: "https://trien.example.vn", ca: "-----BEGIN CERTIFICATE-----\n", pin: "00ff", login: "lanhdao", modules: []string{"/usr/lib/a.so", "/opt/b c.so"}, account: uuid.UUID{1}, device: uuid.UUID{2},
		key: key, offers: ed25519.PublicKey(key[ed25519.SeedSize:]),
	}
}

// TestEnrolmentIsOneForm changes every byte: what is read is what was written, or nothing.
func TestEnrolmentIsOneForm(t *testing.T) {
	text := sampleEnrolment().text()
	if _, err := parseEnrolment(text); err != nil {
		t.Fatal(err)
	}
	for i := range text {
		for _, by := range []byte{0, '\n', ' ', text[i] ^ 1} {
			changed := bytes.Clone(text)
			changed[i] = by
			e, err := parseEnrolment(changed)
			if err == nil && !bytes.Equal(e.text(), changed) {
				t.Fatalf("byte %d as %q is read as something else", i, by)
			}
		}
	}
}

func FuzzEnrolment(f *testing.F) {
	f.Add(sampleEnrolment().text())
	f.Fuzz(func(t *testing.T, text []byte) {
		if e, err := parseEnrolment(text); err == nil && !bytes.Equal(e.text(), text) {
			t.Fatal("two forms")
		}
	})
}
