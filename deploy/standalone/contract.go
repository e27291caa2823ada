// Package standalone …(contract): starts what one machine needs: PostgreSQL, an S3 server, a throw-away CA with OCSP, CRL and TSA.
package standalone

import (
	"context"
	"errors"
	"log/slog"

	"trien/certs/devpki"
)

var (
	ErrInUse   = errors.New("standalone: another process runs on this folder")
	ErrMissing = errors.New("standalone: a program is missing") // says which Debian package has it
	ErrSpace   = errors.New("standalone: too little disk space")
	ErrFolder  = errors.New("standalone: not a folder of ours") // not empty and not initialised by us, or made for production
)

// Services are running. Everything listens on unix sockets in a 0700 folder, or on loopback.
type Services struct {
	Dir         string
	OwnerURL    string // PostgreSQL, schema owner
	DatabaseURL string // PostgreSQL, application role
	AppRole     string
	S3          S3
	Authority   *devpki.Authority // serving
	Passphrase  []byte            // of the keyring: a random one kept in DIR/secrets, which standalone alone may do
	Keyring     string            // path for envelope.CreateKeyring/OpenKeyring
}

type S3 struct{ Socket, AccessKey, SecretKey, Bucket string }

// Start initialises DIR at first use and starts everything; under 5 s once initialised. It recovers after kill -9 (stale locks, postmaster still
// shutting down, S3 child left behind). It ends children when this process dies by any means (Pdeathsig and a pipe they watch).
func Start(ctx context.Context, dir string, log *slog.Logger) (*Services, error) { panic("contract") }

// Done is closed when a service died by itself; Err says which.
func (s *Services) Done() <-chan struct{} { panic("contract") }
func (s *Services) Err() error            { panic("contract") }

// Close stops everything in order; nothing keeps running after it returns.
func (s *Services) Close() error { panic("contract") }

// ServeObjects is the body of the child process (hidden command "trien objects-child"): the S3 server on DIR's socket, durable (group-commit syncfs)
// and with the holes closed. Start runs os.Executable() with that command; tests re-exec the test binary by TestMain.
func ServeObjects(ctx context.Context, dir string) error { panic("contract") }
