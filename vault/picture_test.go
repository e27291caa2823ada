package vault_test

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/uuid"

	"trien/signing"
	"trien/vault"
	"trien/vault/vaulttest/samples"
)

// exportedBytes makes the signed and sealed export of a dossier with one record.
func (r *rig) exportedBytes() []byte {
	r.t.Helper()
	c, err := r.OpenExport(r.t.Context(), r.staff, r.signedExport().ID)
	if err != nil {
		r.t.Fatal(err)
	}
	defer c.Close()
	b, err := io.ReadAll(io.NewSectionReader(c, 0, c.Size))
	if err != nil {
		r.t.Fatal(err)
	}
	if dir := os.Getenv("TRIEN_KEEP_IMAGES"); dir != "" { // for people to look at
		_ = os.WriteFile(filepath.Join(dir, strings.ReplaceAll(r.t.Name(), "/", "-")+".pdf"), b, 0o600)
	}
	return b
}

func withSeal(c *vault.Config) { c.SealPicture = &signing.Picture{PNG: samples.SealPicture()} }

// TestPictures: an export shows the signer's picture, and the seal's over it or in its own place.
func TestPictures(t *testing.T) {
	for name, c := range map[string]struct {
		change         []func(*vault.Config)
		signature      []byte
		pictured, both bool
	}{
		"none":           {},
		"signature":      {signature: samples.SignaturePicture(1), pictured: true},
		"seal":           {change: []func(*vault.Config){withSeal}, pictured: true},
		"seal over both": {change: []func(*vault.Config){withSeal}, signature: samples.SignaturePicture(1), pictured: true, both: true},
	} {
		t.Run(name, func(t *testing.T) {
			r := newRig(t, c.change...)
			if err := r.SetSignaturePicture(t.Context(), r.admin, r.signer.Account, c.signature); err != nil {
				t.Fatal(err)
			}
			b := r.exportedBytes()
			names, err := signing.PicturedSignatures(bytes.NewReader(b), int64(len(b)))
			if err != nil || len(names) > 0 != c.pictured || c.both != (len(names) == 2) {
				t.Errorf("pictures in %q, %v", names, err)
			}
			for _, picture := range [][]byte{c.signature, samples.SealPicture()} {
				if picture != nil && bytes.Contains(b, picture) {
					t.Error("the picture stands in the export as the file it was")
				}
			}
		})
	}
}

// TestSignaturePicture: who may set it, what is taken, and that it is not stored as it came.
func TestSignaturePicture(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	picture, who := samples.SignaturePicture(1), r.signer.Account
	has := func(want bool) {
		t.Helper()
		if got, err := r.HasSignaturePicture(ctx, r.admin, who); err != nil || got != want {
			t.Errorf("a picture: %v, %v", got, err)
		}
	}
	has(false)
	for _, a := range []vault.Actor{r.staff, r.signer, r.auditor, {}} {
		if err := r.SetSignaturePicture(ctx, a, who, picture); !errors.Is(err, vault.ErrForbidden) {
			t.Errorf("%s: %v", a.Role, err)
		}
		if _, err := r.HasSignaturePicture(ctx, a, who); !errors.Is(err, vault.ErrForbidden) {
			t.Errorf("%s: %v", a.Role, err)
		}
	}
	for what, png := range map[string][]byte{
		"nothing": {}, "text": []byte("GIF89a"), "cut off": picture[:len(picture)-1], "too large": make([]byte, vault.MaxPicture+1),
	} {
		if err := r.SetSignaturePicture(ctx, r.admin, who, png); !errors.Is(err, vault.ErrPicture) {
			t.Errorf("%s: %v", what, err)
		}
	}
	nobody := vault.AccountID{UUID: uuid.Must(uuid.NewV7())}
	if err := r.SetSignaturePicture(ctx, r.admin, nobody, picture); !errors.Is(err, vault.ErrNotFound) {
		t.Errorf("of nobody: %v", err)
	}
	has(false)
	if err := r.SetSignaturePicture(ctx, r.admin, who, picture); err != nil {
		t.Fatal(err)
	}
	has(true)
	stored, err := r.store.SignaturePicture(ctx, who)
	if err != nil || bytes.Contains(stored.Sealed, picture[:16]) {
		t.Errorf("the picture lies open: %v", err)
	}
	r.movedPicture(ctx, stored)
	if err := r.SetSignaturePicture(ctx, r.admin, who, nil); err != nil {
		t.Fatal(err)
	}
	has(false)
}

// movedPicture: a sealed picture that somebody puts under another account is not shown there.
func (r *rig) movedPicture(ctx context.Context, stored vault.SealedPicture) {
	r.t.Helper()
	account, err := r.store.Account(ctx, r.signer.Account)
	if err != nil {
		r.t.Fatal(err)
	}
	other := vault.AccountID{UUID: uuid.Must(uuid.NewV7())}
	account.ID, account.Login = other, "khac"
	if err := errors.Join(r.store.AddAccount(ctx, account, r.event()), r.store.SetSignaturePicture(ctx, other, stored, r.event())); err != nil {
		r.t.Fatal(err)
	}
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	if _, err := r.Submit(ctx, r.staff, v.ID, other, ""); !errors.Is(err, vault.ErrTampered) {
		r.t.Errorf("a picture of another account: %v", err)
	}
}

// TestSealPictureSize: a seal without a size on paper, or of one that no seal has, is refused before anything is sealed.
func TestSealPictureSize(t *testing.T) {
	seal := samples.SealPicture()
	for _, c := range []struct {
		width float64
		ok    bool
	}{{0, true}, {36 * signing.Millimetre, true}, {14 * signing.Millimetre, false}, {61 * signing.Millimetre, false}, {-1, false}} {
		err := vault.CheckSealPicture(&signing.Picture{PNG: seal, Width: c.width})
		if (err == nil) != c.ok || err != nil && !errors.Is(err, vault.ErrPicture) {
			t.Errorf("%v points: %v", c.width, err)
		}
	}
}
