package bundle_test

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"sync/atomic"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault/bundle"
)

// pattern is a document of any size that takes no memory.
type pattern struct{ size int64 }

func (p pattern) ReadAt(b []byte, off int64) (int, error) {
	const line = "Lý lịch tự khai, dòng này lặp lại.\n"
	n := min(int64(len(b)), p.size-off)
	if n <= 0 {
		return 0, io.EOF
	}
	for i := int64(0); i < n; {
		i += int64(copy(b[i:n], line[(off+i)%int64(len(line)):]))
	}
	if n < int64(len(b)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

func (pattern) Close() error { return nil }

// peak runs f and returns by how much the heap grew while it did.
func peak(t *testing.T, f func()) int64 {
	t.Helper()
	heap := func() int64 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		return int64(m.HeapInuse)
	}
	runtime.GC()
	base := heap()
	var highest atomic.Int64
	stop, stopped := make(chan struct{}), make(chan struct{})
	go func() {
		defer close(stopped)
		for {
			select {
			case <-stop:
				return
			case <-time.After(2 * time.Millisecond):
				highest.Store(max(highest.Load(), heap()))
			}
		}
	}()
	f()
	close(stop)
	<-stopped
	return highest.Load() - base
}

// Memory does not grow with the originals, neither when the export is built nor when it is judged.
func TestLargeDossierIsStreamed(t *testing.T) {
	const size, limit = 200 << 20, 40 << 20
	log := newLog(t, "vault.example/records")
	content := pattern{size}
	hash := sha256.New()
	if _, err := io.Copy(hash, io.NewSectionReader(content, 0, size)); err != nil {
		t.Fatal(err)
	}
	m := ledger.Manifest{
		Version: uuid.New(), Record: uuid.New(), Kind: "party.admission", Register: "party", MediaType: "application/xml", Size: size,
		SHA256: ledger.Hash(hash.Sum(nil)), ObjectSHA256: ledger.SumHash([]byte("sealed")), Origin: ledger.OriginShared,
		Actor: uuid.New(), Unit: uuid.New(), Time: time.Now().UTC().Truncate(time.Microsecond),
	}
	text, err := m.MarshalText()
	if err != nil {
		t.Fatal(err)
	}
	d := newDossier(t, log, oneOfEach(t)[0])
	salt := ledger.NewSalt()
	index := log.add(ledger.VersionLeaf(m.Register, salt, text))
	d.Records = append(d.Records, bundle.Record{Title: "Hồ sơ lớn", Kind: "Hồ sơ kết nạp", Version: bundle.Version{
		Number: 1, Manifest: text, Salt: salt, Receipt: log.receipt(index), MediaType: m.MediaType, Size: size,
		Open: func(context.Context) (bundle.ReaderAtCloser, error) { return content, nil },
	}})
	path := filepath.Join(t.TempDir(), "export.pdf")
	f, err := os.OpenFile(path, os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = f.Close() })
	w := bufio.NewWriterSize(f, 1<<20)
	grown := peak(t, func() {
		if err := bundle.Build(t.Context(), w, d); err != nil {
			t.Fatal(err)
		}
	})
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if grown > limit {
		t.Errorf("building grew the heap by %d MiB", grown>>20)
	}
	info, err := f.Stat()
	if err != nil {
		t.Fatal(err)
	}
	var v *bundle.Verdict
	start := time.Now()
	judged := peak(t, func() {
		v, err = bundle.Verify(t.Context(), f, info.Size(), bundle.Trust{Policy: log.policy})
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("built in %d MiB, judged %d MiB in %v with %d MiB", grown>>20, info.Size()>>20, time.Since(start).Round(time.Millisecond), judged>>20)
	if judged > limit {
		t.Errorf("judging grew the heap by %d MiB", judged>>20)
	}
	if len(v.Documents) != 2 || v.Documents[1].Outcome != bundle.Passed || v.Documents[1].Size != size {
		t.Errorf("the large document:\n%s", tell(t, v))
	}
	var vi bytes.Buffer
	if err := v.WriteText(&vi, "vi"); err != nil || vi.Len() == 0 {
		t.Errorf("text verdict: %v", err)
	}
}
