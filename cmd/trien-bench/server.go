package main

import (
	"bufio"
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault/objects"
)

// server is a running `trien serve --standalone`.
type server struct {
	cmd     *exec.Cmd
	dir     string
	url     string
	log     *tail
	started time.Duration // from the program's start to "ready"
}

func startServer(ctx context.Context, program, dir string) (*server, error) {
	program, err := filepath.Abs(program)
	if err != nil {
		return nil, err
	}
	s := &server{dir: dir, log: &tail{}}
	s.cmd = exec.Command(program, "serve", "--standalone", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0") //nolint:noctx // it is ended by SIGTERM, not killed
	s.cmd.Stderr = s.log
	s.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGTERM}
	out, err := s.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	began := time.Now()
	if err := s.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting the vault: %w", err)
	}
	ready := make(chan string, 1)
	go func() {
		defer close(ready)
		for lines := bufio.NewScanner(out); lines.Scan(); {
			if fields := strings.Fields(lines.Text()); len(fields) > 1 && fields[0] == "ready" {
				ready <- fields[1]
				_, _ = io.Copy(io.Discard, out)
				return
			}
		}
	}()
	select {
	case url, ok := <-ready:
		if ok {
			s.url, s.started = url, time.Since(began)
			return s, nil
		}
		err = errors.New("the vault ended before it served")
	case <-time.After(time.Minute):
		err = errors.New("the vault does not serve after a minute")
	case <-ctx.Done():
		err = ctx.Err()
	}
	return nil, errors.Join(fmt.Errorf("%w:\n%s", err, s.log), s.stop())
}

// stop ends the vault as an operator would.
func (s *server) stop() error {
	if err := s.cmd.Process.Signal(syscall.SIGTERM); err != nil && !errors.Is(err, os.ErrProcessDone) {
		return err
	}
	done := make(chan error, 1)
	go func() { done <- s.cmd.Wait() }()
	select {
	case err := <-done:
		var exit *exec.ExitError
		if errors.As(err, &exit) {
			return fmt.Errorf("the vault ended badly: %w:\n%s", err, s.log)
		}
		return err
	case <-time.After(time.Minute):
		return errors.Join(errors.New("the vault does not stop"), s.cmd.Process.Kill())
	}
}

// signIn makes an account that may deposit and read.
func (s *server) signIn(ctx context.Context) (*client.Client, error) {
	connect := func(login, password string) (*client.Client, wire.Session, error) {
		c, err := client.New(client.Config{Server: s.url, CAFile: filepath.Join(s.dir, "ca.pem"), Language: "en", Agent: "trien-bench"})
		if err != nil {
			return nil, wire.Session{}, err
		}
		session, err := c.SignIn(ctx, login, password)
		return c, session, err
	}
	password, err := os.ReadFile(filepath.Join(s.dir, "secrets", "admin-password"))
	if err != nil {
		return nil, err
	}
	admin, session, err := connect("quantri", strings.TrimSpace(string(password)))
	if err != nil {
		return nil, fmt.Errorf("signing in as administrator: %w", err)
	}
	defer admin.Close()
	account := wire.NewAccount{
		Login: "bench" + strings.ToLower(rand.Text()[:8]), Name: "Người Đo Mẫu", Post: "Đo tốc độ", Password: rand.Text(), Unit: session.Me.Unit, Role: "staff",
	}
	if _, err := admin.CreateAccount(ctx, account); err != nil {
		return nil, fmt.Errorf("making an account: %w", err)
	}
	c, _, err := connect(account.Login, account.Password)
	if err != nil {
		return nil, fmt.Errorf("signing in: %w", err)
	}
	return c, nil
}

const peerBucket = "bench-peer"

// peer speaks to the vault's own S3 server as the vault does: over its socket, with CRC-32C and without hashing twice.
func (s *server) peer(ctx context.Context) (*minio.Client, *objects.Store, error) {
	socket := filepath.Join(s.dir, "run", "s3.sock")
	if note, err := os.ReadFile(filepath.Join(s.dir, "run", "sockets")); err == nil {
		socket = filepath.Join(strings.TrimSpace(string(note)), "s3", "s3.sock")
	}
	var keys [2]string
	for i, name := range []string{"s3-access-key", "s3-secret-key"} {
		key, err := os.ReadFile(filepath.Join(s.dir, "secrets", name))
		if err != nil {
			return nil, nil, err
		}
		keys[i] = strings.TrimSpace(string(key))
	}
	c, err := minio.New("objects.standalone.local", &minio.Options{
		Creds: credentials.NewStaticV4(keys[0], keys[1], ""), Region: "us-east-1", BucketLookup: minio.BucketLookupPath, TrailingHeaders: true,
		Transport: &http.Transport{
			DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
				return (&net.Dialer{}).DialContext(ctx, "unix", socket)
			},
			MaxIdleConnsPerHost: 64, DisableCompression: true, WriteBufferSize: 64 << 10, ReadBufferSize: 64 << 10,
		},
	})
	if err != nil {
		return nil, nil, err
	}
	if err := c.MakeBucket(ctx, peerBucket, minio.MakeBucketOptions{}); err != nil {
		return nil, nil, fmt.Errorf("making the peer's bucket: %w", err)
	}
	o, err := objects.Open(ctx, objects.Config{
		Endpoint: "objects.standalone.local", Socket: socket, Bucket: peerBucket, AccessKey: keys[0], SecretKey: objects.Secret(keys[1]),
	})
	return c, o, err
}

// tail keeps the end of what the vault logs.
type tail struct{ kept []byte }

// Write is called by one goroutine of os/exec.
func (t *tail) Write(p []byte) (int, error) {
	t.kept = append(t.kept, p...)
	if over := len(t.kept) - 4096; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
	return len(p), nil
}

func (t *tail) String() string { return string(t.kept) }
