package api_test

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"encoding/hex"
	"io"
	"net/http/httptest"
	"runtime"
	"testing"

	"trien/api"
	"trien/api/client"
	"trien/vault"
	"trien/vault/catalogue"
)

// hollow is a vault that keeps nothing, for what the transport alone costs.
type hollow struct {
	*vault.Vault
	taken int64
	sum   [32]byte
}

func (*hollow) Catalogue() *vault.Catalogue { return catalogue.Default() }

func (*hollow) MaxSize() int64 { return 1 << 40 }
func (*hollow) Authenticate(context.Context, vault.Token, vault.Source) (vault.Actor, error) {
	return vault.Actor{Role: vault.Staff}, nil
}

func (h *hollow) Deposit(_ context.Context, _ vault.Actor, _ vault.NewDeposit, r io.Reader) (vault.Version, error) {
	sum := sha256.New()
	n, err := io.Copy(sum, r)
	h.taken, h.sum = n, [32]byte(sum.Sum(nil))
	return vault.Version{Size: n}, err
}

func (h *hollow) Disclose(context.Context, vault.Actor, vault.VersionID, string) (*vault.Content, error) {
	return &vault.Content{Name: "zeros", MediaType: "application/pdf", Size: h.taken, SHA256: h.sum, ReaderAt: zeros{}, Closer: io.NopCloser(nil)}, nil
}

// zeros is as long as one likes.
type zeros struct{}

func (zeros) ReadAt(p []byte, _ int64) (int, error) { clear(p); return len(p), nil }

// TestMemoryDoesNotGrowWithDocuments: what is allocated for a document of 96 MiB, up and down, server and client together, is a
// small part of it.
func TestMemoryDoesNotGrowWithDocuments(t *testing.T) {
	const size = 96 << 20
	h := &hollow{}
	s := httptest.NewServer(api.New(api.Config{Vault: h}).Handler())
	defer s.Close()
	c, err := client.New(client.Config{Server: s.URL})
	if err != nil {
		t.Fatal(err)
	}
	defer c.Close()
	c.SetToken(rand.Text())
	sum := sha256.New()
	if _, err := io.Copy(sum, io.NewSectionReader(zeros{}, 0, size)); err != nil {
		t.Fatal(err)
	}
	var before, after runtime.MemStats
	runtime.ReadMemStats(&before)
	_, err = c.Deposit(t.Context(), client.Deposit{
		Dossier: "019a0000-0000-7000-8000-000000000000", Kind: "k", Title: "t", Origin: "declared", Content: zeros{}, Size: size,
		SHA256: hex.EncodeToString(sum.Sum(nil)),
	})
	if err != nil || h.taken != size {
		t.Fatalf("%d bytes arrived, %v", h.taken, err)
	}
	if _, err := c.Content(t.Context(), "019a0000-0000-7000-8000-000000000000", "", io.Discard); err != nil {
		t.Fatal(err)
	}
	runtime.ReadMemStats(&after)
	if n := after.TotalAlloc - before.TotalAlloc; n > size/12 {
		t.Errorf("%d bytes were allocated for %d", n, size)
	} else {
		t.Logf("%d bytes were allocated for %d", n, size)
	}
}
