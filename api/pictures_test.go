package api_test

import (
	"net/http"
	"strings"
	"testing"

	"trien/vault"
	"trien/vault/vaulttest/samples"
)

// TestSignaturePicture sets the picture of a signature over the interface, and takes it away.
func TestSignaturePicture(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	admin := r.signIn("quantri")
	account, err := r.store.AccountByLogin(ctx, "lanhdao")
	if err != nil {
		t.Fatal(err)
	}
	id := account.ID.String()
	wantCode(t, r.signIn("lanhdao").SetSignaturePicture(ctx, id, samples.SignaturePicture(1)), "forbidden")
	wantCode(t, admin.SetSignaturePicture(ctx, id, []byte("%PDF-")), "picture")
	wantCode(t, admin.SetSignaturePicture(ctx, id, nil), "picture")
	wantCode(t, admin.SetSignaturePicture(ctx, id, make([]byte, vault.MaxPicture+1)), "body_too_large")
	wantCode(t, admin.SetSignaturePicture(ctx, "00000000-0000-7000-8000-000000000001", samples.SignaturePicture(1)), "not_found")
	if err := admin.SetSignaturePicture(ctx, id, samples.SignaturePicture(1)); err != nil {
		t.Fatal(err)
	}
	if _, err := r.store.SignaturePicture(ctx, account.ID); err != nil {
		t.Error(err)
	}
	for range 2 {
		if err := admin.RemoveSignaturePicture(ctx, id); err != nil {
			t.Fatal(err)
		}
	}
	req, err := http.NewRequestWithContext(ctx, http.MethodPut, r.http.URL+"/api/v1/accounts/"+id+"/signature-picture", strings.NewReader("GIF89a"))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer "+r.token("quantri"))
	req.Header.Set("Content-Type", "image/gif")
	resp, err := r.http.Client().Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusUnsupportedMediaType {
		t.Errorf("another media type: %d", resp.StatusCode)
	}
}
