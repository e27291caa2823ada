package objectserver

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"net"
	"net/http"
	"os"
	"os/exec"
	"syscall"
	"time"

	"trien/deploy/standalone/internal/child"
)

// startPatience covers a server before this one that is just ending.
const startPatience = lockPatience + 10*time.Second

// ErrStart is a server that did not come up. Its own words stand in its log.
var ErrStart = errors.New("the S3 server did not start")

// Server is a running child process.
type Server struct {
	*child.Process
	alive *os.File // closing it ends the child
}

// Start runs cmd, whose body is [Serve] on the socket given with Alive being its standard input, and waits until it
// answers. cmd's standard output and error are the caller's to set.
func Start(ctx context.Context, cmd *exec.Cmd, socket string) (*Server, error) {
	// A server that is just ending may still listen here: it must not answer for the new one.
	if err := os.Remove(socket); err != nil && !errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("starting the S3 server: %w", err)
	}
	r, w, err := os.Pipe()
	if err != nil {
		return nil, fmt.Errorf("starting the S3 server: %w", err)
	}
	cmd.Stdin = r
	p, err := child.Start(cmd, syscall.SIGKILL)
	_ = r.Close()
	if err != nil {
		_ = w.Close()
		return nil, fmt.Errorf("starting the S3 server: %w", err)
	}
	s := &Server{Process: p, alive: w}
	if err := s.await(ctx, socket); err != nil {
		return nil, errors.Join(err, s.Stop())
	}
	return s, nil
}

// await returns when the server answers.
func (s *Server) await(ctx context.Context, socket string) error {
	ctx, cancel := context.WithTimeout(ctx, startPatience)
	defer cancel()
	transport := &http.Transport{DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
		var d net.Dialer
		return d.DialContext(ctx, "unix", socket)
	}}
	defer transport.CloseIdleConnections()
	client := &http.Client{Transport: transport}
	for {
		if healthy(ctx, client) {
			return nil
		}
		select {
		case <-s.Done():
			return fmt.Errorf("%w: %w", ErrStart, errors.Join(s.Err(), errors.New("its log says why")))
		case <-ctx.Done():
			return fmt.Errorf("%w: %w", ErrStart, ctx.Err())
		case <-time.After(5 * time.Millisecond):
		}
	}
}

func healthy(ctx context.Context, client *http.Client) bool {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://objects"+HealthPath, nil)
	if err != nil {
		return false
	}
	resp, err := client.Do(req)
	if err != nil {
		return false
	}
	_ = resp.Body.Close()
	return resp.StatusCode == http.StatusOK
}

// Stop ends the server and waits for it; requests under way have half a second to finish.
func (s *Server) Stop() error {
	_ = s.alive.Close()
	if s.Wait(10 * time.Second) {
		return nil
	}
	return s.Process.Stop()
}
