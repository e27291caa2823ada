package vaulttest

import (
	"context"

	"trien/vault"
)

func storePictures(w *world) {
	ctx := w.Context()
	none := func(what string) {
		w.Helper()
		_, err := w.SignaturePicture(ctx, w.official.ID)
		w.want(what, err, vault.ErrNotFound)
	}
	none("SignaturePicture before there is one")
	for _, text := range []string{"one", "another"} {
		p := vault.SealedPicture{WrappedKey: []byte("key of " + text), Sealed: []byte(text)}
		w.act("SetSignaturePicture", vault.ManageAccess, func(ctx context.Context, e vault.Event) error {
			return w.SetSignaturePicture(ctx, w.official.ID, p, e)
		})
		got, err := w.SignaturePicture(ctx, w.official.ID)
		w.must("SignaturePicture", err)
		w.same("SignaturePicture", got, p)
	}
	for range 2 { // taking away what is not there is no error
		w.act("SetSignaturePicture to none", vault.ManageAccess, func(ctx context.Context, e vault.Event) error {
			return w.SetSignaturePicture(ctx, w.official.ID, vault.SealedPicture{}, e)
		})
		none("SignaturePicture that was taken away")
	}
	refuse := func(what string, want error, id vault.AccountID, p vault.SealedPicture) {
		w.Helper()
		w.refused(what, want, func(ctx context.Context) error { return w.SetSignaturePicture(ctx, id, p, w.event(vault.ManageAccess)) })
	}
	p := vault.SealedPicture{WrappedKey: []byte("key"), Sealed: []byte("picture")}
	refuse("SetSignaturePicture of nobody", vault.ErrNotFound, vault.AccountID{UUID: id()}, p)
	refuse("SetSignaturePicture of nobody to none", vault.ErrNotFound, vault.AccountID{UUID: id()}, vault.SealedPicture{})
	refuse("SetSignaturePicture without a key", vault.ErrInvalid, w.official.ID, vault.SealedPicture{Sealed: p.Sealed})
	refuse("SetSignaturePicture without a picture", vault.ErrInvalid, w.official.ID, vault.SealedPicture{WrappedKey: p.WrappedKey})
}
