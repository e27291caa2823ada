package objects

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"path/filepath"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

func TestConfig(t *testing.T) {
	good := testConfig(t)
	for name, change := range map[string]func(*Config){
		"parts too small": func(c *Config) { c.PartSize = minPartSize - 1 },
		"parts too large": func(c *Config) { c.PartSize = maxPartSize + 1 },
		"no bucket":       func(c *Config) { c.Bucket = "" },
		"no endpoint":     func(c *Config) { c.Endpoint = "" },
		"odd endpoint":    func(c *Config) { c.Endpoint = "http://a/b" },
		"no CA":           func(c *Config) { c.Secure, c.CAFile = true, filepath.Join(t.TempDir(), "absent") },
		"no CA in it":     func(c *Config) { c.Secure, c.CAFile = true, "bucket_test.go" },
	} {
		c := good
		change(&c)
		if _, err := Open(t.Context(), c); !errors.Is(err, ErrConfig) {
			t.Errorf("%s: %v", name, err)
		}
	}
	wrong := good
	wrong.SecretKey = "not-the-secret"
	if _, err := Open(t.Context(), wrong); err == nil || strings.Contains(err.Error(), "not-the-secret") {
		t.Error("a wrong key:", err)
	}
	first, err := Open(t.Context(), good)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := Open(t.Context(), good); err != nil { // the bucket stands by now
		t.Fatal(err)
	}
	if found, err := first.List(t.Context(), "", 10); err != nil || len(found) != 0 {
		t.Fatal("probes are left behind:", found, err)
	}
}

func TestSecretDoesNotShow(t *testing.T) {
	c := Config{SecretKey: "very-secret"}
	var out bytes.Buffer
	slog.New(slog.NewJSONHandler(&out, nil)).Info("opened", slog.Any("config", c), slog.Any("key", c.SecretKey))
	slog.New(slog.NewTextHandler(&out, nil)).Info("opened", slog.Any("config", c), slog.Any("key", c.SecretKey))
	fmt.Fprintf(&out, "%v %+v %#v %s %q %x", c, c, c, c.SecretKey, c.SecretKey, c.SecretKey)
	if strings.Contains(out.String(), "very") || strings.Contains(out.String(), "76657279") {
		t.Fatal(out.String())
	}
}

// TestDeleteVersions: in a versioned bucket nothing of a key remains, and its neighbour does.
func TestDeleteVersions(t *testing.T) {
	s := testStore(t)
	ctx := t.Context()
	if err := s.core.EnableVersioning(ctx, s.bucket); err != nil {
		t.Fatal(err)
	}
	raw := func(key string, b []byte) {
		if _, err := s.core.PutObject(ctx, s.bucket, key, bytes.NewReader(b), int64(len(b)), "", "", minio.PutObjectOptions{}); err != nil {
			t.Fatal(err)
		}
	}
	for i := range 3 { // somebody else overwrites: with versions the older ones stay
		raw("k", content(100+i))
	}
	if err := s.core.RemoveObject(ctx, s.bucket, "k", minio.RemoveObjectOptions{}); err != nil { // a delete marker
		t.Fatal(err)
	}
	raw("k", content(7))
	raw("k2", content(8))
	if v, err := s.versions(ctx, "k"); err != nil || len(v) != 5 {
		t.Fatal(v, err)
	}
	if err := s.Delete(ctx, "k"); err != nil {
		t.Fatal(err)
	}
	if v, err := s.versions(ctx, "k"); err != nil || len(v) != 0 {
		t.Fatal("remains:", v, err)
	}
	wantStored(t, s, "k2", content(8))
	if _, err := s.Put(ctx, "k", bytes.NewReader(content(10)), -1); err != nil {
		t.Fatal(err)
	}
	if _, err := s.Put(ctx, "k", bytes.NewReader(content(10)), -1); !errors.Is(err, vault.ErrConflict) {
		t.Fatal("a version was put over another:", err)
	}
}

// TestAbortStale: unfinished uploads go by age, or with their key.
func TestAbortStale(t *testing.T) {
	s := testStore(t)
	ctx := t.Context()
	begin := func(key string) *partsUpload {
		u := &partsUpload{Store: s, key: key, token: "t"}
		if err := u.begin(ctx); err != nil {
			t.Fatal(err)
		}
		if err := u.send(ctx, content(1000)); err != nil {
			t.Fatal(err)
		}
		return u
	}
	u := begin("stale")
	begin("stale")
	begin("other")
	if n, err := s.AbortStale(ctx, time.Now().Add(-time.Hour)); err != nil || n != 0 {
		t.Fatal("young uploads were ended:", n, err)
	}
	if err := s.Delete(ctx, "other"); err != nil {
		t.Fatal(err)
	}
	if n, err := s.AbortStale(ctx, time.Now().Add(time.Hour)); err != nil || n != 2 {
		t.Fatal(n, err)
	}
	if err := u.complete(ctx); err == nil {
		t.Fatal("an ended upload was put together")
	}
	if err := u.abort(ctx); err != nil {
		t.Fatal("ending twice:", err)
	}
	if n, err := s.AbortStale(ctx, time.Now().Add(time.Hour)); err != nil || n != 0 {
		t.Fatal(n, err)
	}
}

// zeros is a source as long as asked.
type zeros struct{ left int64 }

func (z *zeros) Read(p []byte) (int, error) {
	if z.left == 0 {
		return 0, io.EOF
	}
	n := min(int64(len(p)), z.left)
	clear(p[:n])
	z.left -= n
	return int(n), nil
}

// TestMemory: 200 MiB in, and out again, in the memory of a few parts.
func TestMemory(t *testing.T) {
	s := testStore(t)
	const size = 200 << 20
	var before, after runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&before)
	stored, err := s.Put(t.Context(), "large", &zeros{size}, -1)
	if err != nil || stored.Size != size {
		t.Fatal(stored.Size, err)
	}
	r, err := s.Open(t.Context(), "large", size)
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = r.Close() }()
	if n, err := io.Copy(io.Discard, io.NewSectionReader(r, 0, size)); err != nil || n != size {
		t.Fatal(n, err)
	}
	runtime.ReadMemStats(&after)
	if grown := after.TotalAlloc - before.TotalAlloc; grown > 4*minPartSize {
		t.Errorf("%d bytes were allocated for %d", grown, size)
	}
}

func TestTooManyParts(t *testing.T) {
	s := testStore(t)
	u := &partsUpload{Store: s, key: "k", token: "t", done: make([]minio.CompletePart, maxParts)}
	if err := u.send(t.Context(), []byte("x")); !errors.Is(err, vault.ErrTooLarge) {
		t.Fatal(err)
	}
}
