package api_test

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"trien/api"
	"trien/ledger/tiles"
	"trien/vault/vaulttest"
)

// shown is a log with a public copy.
type shown struct {
	*vaulttest.MemoryLog
	copied tiles.MemoryResources
}

func (s *shown) Read(ctx context.Context, path string) ([]byte, error) {
	return s.copied.Read(ctx, path)
}

func TestStrangersReadTheLogs(t *testing.T) {
	records, access := &shown{MemoryLog: vaulttest.NewLog()}, &shown{MemoryLog: vaulttest.NewLog()}
	r := newRig(t, change{api: func(c *api.Config) {
		c.Logs = map[string]api.PublicLog{"records": records, "access": access}
		c.Limits.ReadPerMinute = 40
	}})
	if err := records.copied.Replace(t.Context(), tiles.CheckpointPath, nil, []byte("a checkpoint\n")); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{"tile/0/000.p/5", "tile/0/x001/234", "tile/entries/000"} {
		if err := records.copied.Create(t.Context(), path, []byte("bytes of "+path)); err != nil {
			t.Fatal(err)
		}
	}
	get := func(path string) (int, http.Header, string) {
		t.Helper()
		resp, err := r.http.Client().Get(r.http.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		defer func() { _ = resp.Body.Close() }()
		body, err := io.ReadAll(resp.Body)
		if err != nil {
			t.Fatal(err)
		}
		return resp.StatusCode, resp.Header, string(body)
	}
	for path, want := range map[string]string{
		"checkpoint": "a checkpoint\n", "tile/0/000.p/5": "bytes of tile/0/000.p/5", "tile/0/x001/234": "bytes of tile/0/x001/234",
		"tile/entries/000": "bytes of tile/entries/000", "policy": string(records.Policy().Text()),
	} {
		status, header, body := get("/ledger/records/" + path)
		if status != http.StatusOK || body != want || header.Get("Access-Control-Allow-Origin") != "*" {
			t.Errorf("%s: %d %q %v", path, status, body, header)
		}
		if forever := strings.Contains(header.Get("Cache-Control"), "immutable"); forever != strings.HasPrefix(path, "tile/") {
			t.Errorf("%s: Cache-Control %q", path, header.Get("Cache-Control"))
		}
	}
	for _, path := range []string{
		"/ledger/access/checkpoint", "/ledger/access/tile/0/000", "/ledger/other/checkpoint", "/ledger/records/tile/0/001", "/ledger/records/tile/0/1",
		"/ledger/records/tile/0/x001/x234", "/ledger/records/tile/../checkpoint", "/ledger/records/tile/%2e%2e/checkpoint", "/ledger/records/tile/9/000",
		"/ledger/records/tile/0/000.p/0", "/ledger/records/tile/", "/ledger/records", "/ledger/records/tile/0/%78001/23%34/",
	} {
		if status, header, _ := get(path); status != http.StatusNotFound || strings.Contains(header.Get("Cache-Control"), "immutable") {
			t.Errorf("%s: %d %v", path, status, header)
		}
	}
	for query, want := range map[string]*shown{"": nil, "?log=records": records, "?log=access": access} {
		text := string(records.Policy().Text())
		if want != nil {
			text = string(want.Policy().Text())
		}
		if status, _, body := get("/api/v1/ledger/policy" + query); status != http.StatusOK || body != text {
			t.Errorf("policy%s: %d %q", query, status, body)
		}
		if status, _, body := get("/api/v1/ledger/checkpoint" + query); status != http.StatusOK || !strings.HasPrefix(body, "vaulttest.example/log\n0\n") {
			t.Errorf("checkpoint%s: %d %q", query, status, body)
		}
		if status, _, _ := get("/api/v1/ledger/consistency?older=0&newer=0" + strings.Replace(query, "?", "&", 1)); status != http.StatusOK {
			t.Errorf("consistency%s: %d", query, status)
		}
	}
	if status, _, _ := get("/api/v1/ledger/policy?log=other"); status != http.StatusUnprocessableEntity {
		t.Errorf("another log: %d", status)
	}
	limited := false
	for range 45 {
		status, _, _ := get("/ledger/records/checkpoint")
		limited = limited || status == http.StatusTooManyRequests
	}
	if !limited {
		t.Error("nobody is held back")
	}
}
