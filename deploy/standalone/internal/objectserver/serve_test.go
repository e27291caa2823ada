package objectserver

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"
)

const (
	serveCommand = "objectserver-test"
	bucket       = "bucket"
)

func TestMain(m *testing.M) {
	if len(os.Args) > 3 && os.Args[1] == serveCommand {
		err := Serve(context.Background(), testConfig(os.Args[2], os.Args[3]))
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func testConfig(dir, socket string) Config {
	return Config{Dir: dir, Socket: socket, AccessKey: "access", SecretKey: "secret-of-the-test", Alive: os.Stdin}
}

func tempDir(t *testing.T) string {
	t.Helper()
	dir, err := os.MkdirTemp("", "trien-objects-") // short enough for a socket
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { _ = os.RemoveAll(dir) })
	return dir
}

func serve(t *testing.T, dir string) (*Server, *minio.Core) {
	t.Helper()
	socket := filepath.Join(dir, "s3.sock")
	var said bytes.Buffer
	cmd := exec.Command(os.Args[0], serveCommand, filepath.Join(dir, "objects"), socket)
	cmd.Stdout, cmd.Stderr = &said, &said
	s, err := Start(t.Context(), cmd, socket)
	if err != nil {
		t.Fatal(err, said.String())
	}
	t.Cleanup(func() { _ = s.Stop() })
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}, MaxIdleConnsPerHost: 32}
	c, err := minio.NewCore("objects", &minio.Options{
		Creds: credentials.NewStaticV4("access", "secret-of-the-test", ""), Region: "us-east-1", Transport: transport, TrailingHeaders: true, MaxRetries: 1,
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(transport.CloseIdleConnections)
	return s, c
}

func makeBucket(t *testing.T, c *minio.Core, locked bool) {
	t.Helper()
	if err := c.MakeBucket(t.Context(), bucket, minio.MakeBucketOptions{ObjectLocking: locked}); err != nil {
		t.Fatal(err)
	}
}

func put(ctx context.Context, c *minio.Core, key, content string) error {
	opts := minio.PutObjectOptions{DisableContentSha256: true, Checksum: minio.ChecksumCRC32C}
	opts.SetMatchETagExcept("*")
	_, err := c.PutObject(ctx, bucket, key, onlyReader{strings.NewReader(content)}, int64(len(content)), "", "", opts)
	return err
}

type onlyReader struct{ io.Reader }

func get(ctx context.Context, c *minio.Core, key string) (string, error) {
	body, _, _, err := c.GetObject(ctx, bucket, key, minio.GetObjectOptions{})
	if err != nil {
		return "", err
	}
	defer func() { _ = body.Close() }()
	b, err := io.ReadAll(body)
	return string(b), err
}

// TestOneWinner races conditional puts.
func TestOneWinner(t *testing.T) {
	_, c := serve(t, tempDir(t))
	makeBucket(t, c, false)
	for round := range 10 {
		key := fmt.Sprintf("contested-%d", round)
		var winner atomic.Pointer[string]
		var wg sync.WaitGroup
		start := make(chan struct{})
		for i := range 8 {
			content := fmt.Sprintf("content of %d", i)
			wg.Go(func() {
				<-start
				err := put(t.Context(), c, key, content)
				if err == nil && !winner.CompareAndSwap(nil, &content) {
					t.Error("two winners")
				}
				if err != nil && minio.ToErrorResponse(err).StatusCode != http.StatusPreconditionFailed {
					t.Error(err)
				}
			})
		}
		close(start)
		wg.Wait()
		got, err := get(t.Context(), c, key)
		if winner.Load() == nil || err != nil || got != *winner.Load() {
			t.Fatal(got, err)
		}
	}
}

// TestKilled kills the server while puts run: what it acknowledged is there, and whole.
func TestKilled(t *testing.T) {
	dir := tempDir(t)
	var mu sync.Mutex
	acknowledged := map[string]string{}
	for round := range 3 {
		s, c := serve(t, dir)
		if round == 0 {
			makeBucket(t, c, false)
		}
		var wg sync.WaitGroup
		var count atomic.Int64
		for g := range 6 {
			wg.Go(func() {
				for i := 0; ; i++ {
					key := fmt.Sprintf("%d-%d-%d", round, g, i)
					content := strings.Repeat(key, 2000)
					if put(t.Context(), c, key, content) != nil {
						return
					}
					mu.Lock()
					acknowledged[key] = content
					mu.Unlock()
					count.Add(1)
				}
			})
		}
		for deadline := time.Now().Add(20 * time.Second); count.Load() < 30 && time.Now().Before(deadline); {
			time.Sleep(5 * time.Millisecond)
		}
		if err := syscall.Kill(s.PID(), syscall.SIGKILL); err != nil {
			t.Fatal(err)
		}
		wg.Wait()
	}
	_, c := serve(t, dir)
	if len(acknowledged) < 90 {
		t.Fatalf("only %d puts were acknowledged", len(acknowledged))
	}
	for key, want := range acknowledged {
		if got, err := get(t.Context(), c, key); err != nil || got != want {
			t.Fatalf("%s: %d bytes, %v", key, len(got), err)
		}
	}
	t.Logf("%d acknowledged, all there", len(acknowledged))
}

// TestLegalHold: a hold protects also when a retention has ended, one by one and in bulk.
func TestLegalHold(t *testing.T) {
	_, c := serve(t, tempDir(t))
	makeBucket(t, c, true)
	ctx := t.Context()
	until := time.Now().Add(2 * time.Second)
	versions := map[string]string{}
	for _, key := range []string{"held", "held-in-bulk", "free"} {
		opts := minio.PutObjectOptions{
			DisableContentSha256: true, Checksum: minio.ChecksumCRC32C, Mode: minio.Compliance, RetainUntilDate: until, LegalHold: minio.LegalHoldEnabled,
		}
		if key == "free" {
			opts.LegalHold = minio.LegalHoldDisabled
		}
		info, err := c.PutObject(ctx, bucket, key, onlyReader{strings.NewReader("x")}, 1, "", "", opts)
		if err != nil {
			t.Fatal(err)
		}
		versions[key] = info.VersionID
		if err := c.RemoveObject(ctx, bucket, key, minio.RemoveObjectOptions{VersionID: info.VersionID}); err == nil {
			t.Fatal(key, "was deleted under retention")
		}
	}
	time.Sleep(time.Until(until) + 1100*time.Millisecond)
	if err := c.RemoveObject(ctx, bucket, "free", minio.RemoveObjectOptions{VersionID: versions["free"]}); err != nil {
		t.Fatal("retention has ended, nothing holds:", err)
	}
	if err := c.RemoveObject(ctx, bucket, "held", minio.RemoveObjectOptions{VersionID: versions["held"]}); err == nil {
		t.Error("deleted under a legal hold")
	}
	doomed := make(chan minio.ObjectInfo, 1)
	doomed <- minio.ObjectInfo{Key: "held-in-bulk", VersionID: versions["held-in-bulk"]}
	close(doomed)
	refused := false
	for range c.RemoveObjects(ctx, bucket, doomed, minio.RemoveObjectsOptions{}) {
		refused = true
	}
	if !refused {
		t.Error("deleted in bulk under a legal hold")
	}
	for _, key := range []string{"held", "held-in-bulk"} {
		if got, err := get(ctx, c, key); err != nil || got != "x" {
			t.Fatal(key, got, err)
		}
	}
	// A delete marker takes nothing away, and is allowed.
	if err := c.RemoveObject(ctx, bucket, "held", minio.RemoveObjectOptions{}); err != nil {
		t.Fatal(err)
	}
	off := minio.LegalHoldDisabled
	if err := c.PutObjectLegalHold(ctx, bucket, "held", minio.PutObjectLegalHoldOptions{VersionID: versions["held"], Status: &off}); err != nil {
		t.Fatal(err)
	}
	if err := c.RemoveObject(ctx, bucket, "held", minio.RemoveObjectOptions{VersionID: versions["held"]}); err != nil {
		t.Fatal("nothing holds any more:", err)
	}
}

// TestEndsWithItsParent: the child ends when the other end of its standard input closes.
func TestEndsWithItsParent(t *testing.T) {
	s, _ := serve(t, tempDir(t))
	_ = s.alive.Close()
	if !s.Wait(5 * time.Second) {
		t.Fatal("it goes on")
	}
	if err := s.Err(); err != nil {
		t.Fatal(err)
	}
}

func TestOneServerAtATime(t *testing.T) {
	dir := tempDir(t)
	serve(t, dir)
	c := testConfig(filepath.Join(dir, "objects"), filepath.Join(dir, "other.sock"))
	c.patience = 50 * time.Millisecond
	if err := Serve(t.Context(), c); !errors.Is(err, ErrInUse) {
		t.Fatal(err)
	}
}

func TestStartFails(t *testing.T) {
	cmd := exec.Command("/bin/false")
	if _, err := Start(t.Context(), cmd, filepath.Join(tempDir(t), "s")); !errors.Is(err, ErrStart) {
		t.Fatal(err)
	}
}

func TestProbeAttributes(t *testing.T) {
	if err := ProbeAttributes(tempDir(t)); err != nil {
		t.Fatal(err)
	}
	if err := ProbeAttributes("/proc"); !errors.Is(err, ErrAttributes) {
		t.Fatal(err)
	}
}
