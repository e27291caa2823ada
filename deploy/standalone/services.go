package standalone

import (
	"context"
	"errors"
	"fmt"
	"log/slog"
	"os"
	"sync"
	"time"

	"trien/certs/devpki"
	"trien/deploy/standalone/internal/child"
	"trien/deploy/standalone/internal/cluster"
	"trien/deploy/standalone/internal/objectserver"
)

// Services are running.
type Services struct {
	Dir         string
	OwnerURL    string // PostgreSQL, schema owner: owns the database, is no superuser
	DatabaseURL string // PostgreSQL, application role
	AppRole     string
	S3          S3
	Authority   *devpki.Authority // serving
	Passphrase  []byte            // of the keyring: a random one kept in DIR/secrets, which standalone alone may do
	Keyring     string            // path for envelope.CreateKeyring and OpenKeyring

	folder    *folder
	sockets   sockets
	postgres  *cluster.Cluster
	objects   *objectserver.Server
	endServe  context.CancelFunc
	serveDone chan struct{}

	mu      sync.Mutex
	closing bool
	failure error
	done    chan struct{}

	closeOnce sync.Once
	closeErr  error
}

// S3 says how to reach the S3 server and which bucket is the vault's. Its user makes the bucket.
type S3 struct{ Socket, AccessKey, SecretKey, Bucket string }

// LogValue hides the keys.
func (s S3) LogValue() slog.Value {
	return slog.GroupValue(slog.String("socket", s.Socket), slog.String("bucket", s.Bucket))
}

// LogValue hides passwords and keys.
func (s *Services) LogValue() slog.Value {
	return slog.GroupValue(slog.String("dir", s.Dir), slog.Any("s3", s.S3))
}

// choices that only tests change.
type choices struct {
	postgresBin          []string
	firstSpace, anySpace uint64 // bytes that must be free
}

var usual = choices{firstSpace: 512 << 20, anySpace: 128 << 20}

// Start initialises DIR at its first use and starts everything; under five seconds once initialised. ctx bounds the start, not
// what was started: that ends by [Services.Close], or with this process, by whatever means that ends. After kill -9 it
// waits for what is still ending and finds all that was acknowledged. Errors wrap [ErrInUse], [ErrMissing], [ErrSpace],
// [ErrFolder] or [ErrService]; nothing keeps running then.
func Start(ctx context.Context, dir string, log *slog.Logger) (*Services, error) {
	return start(ctx, dir, log, usual)
}

func start(ctx context.Context, dir string, log *slog.Logger, c choices) (*Services, error) {
	began := time.Now()
	f, err := openFolder(dir)
	if err != nil {
		return nil, err
	}
	s := &Services{
		Dir: f.path, AppRole: cluster.AppRole, Keyring: f.join("keyring"),
		folder: f, done: make(chan struct{}),
	}
	if err := s.startAll(ctx, c); err != nil {
		return nil, errors.Join(err, s.Close())
	}
	log.Info("standalone services started", slog.String("dir", s.Dir), slog.Bool("first", f.made), slog.Duration("took", time.Since(began)))
	return s, nil
}

func (s *Services) startAll(ctx context.Context, c choices) error {
	if err := s.folder.room(c.firstSpace, c.anySpace); err != nil {
		return err
	}
	initialised, err := cluster.Exists(s.folder.join("postgres"))
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	secrets, err := openSecrets(s.folder.join("secrets"), !initialised)
	if err != nil {
		return err
	}
	self, err := os.Executable()
	if err != nil {
		return fmt.Errorf("%w: finding this program: %w", ErrService, err)
	}
	if s.sockets, err = placeSockets(s.folder); err != nil {
		return err
	}
	s.Passphrase = []byte(secrets.passphrase)
	s.S3 = S3{Socket: s.sockets.objects, AccessKey: secrets.accessKey, SecretKey: secrets.secretKey, Bucket: bucket}

	// The three know nothing of each other, and each takes its time.
	starts := []func() error{
		func() error { return s.startPostgres(ctx, c, secrets.postgres) },
		func() error { return s.startObjects(ctx, self, s.sockets.objects) },
		func() error { return s.startAuthority(ctx) },
	}
	errs := make([]error, len(starts))
	var wg sync.WaitGroup
	for i, start := range starts {
		wg.Go(func() { errs[i] = start() })
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Services) startPostgres(ctx context.Context, c choices, passwords cluster.Passwords) error {
	log, err := openLog(s.folder.join("log", "postgres.log"))
	if err != nil {
		return err
	}
	defer func() { _ = log.Close() }() // the server has its own
	started, err := cluster.Start(ctx, cluster.Config{
		Dir: s.folder.join("postgres"), SocketDir: s.sockets.postgres, Bin: c.postgresBin, Log: log, Passwords: passwords,
	})
	if err != nil {
		return fmt.Errorf("%w (%s)", classify(err), log.Name())
	}
	s.postgres = started
	s.OwnerURL, s.DatabaseURL = started.OwnerURL(cluster.Database), started.AppURL(cluster.Database)
	s.watch("PostgreSQL", started.Process)
	return nil
}

func (s *Services) startAuthority(ctx context.Context) error {
	a, err := devpki.Open(s.folder.join("authority")) //nolint:contextcheck // the authority takes none
	if err != nil {
		return fmt.Errorf("%w: opening the authority: %w", ErrService, err)
	}
	if err := a.Listen(); err != nil { //nolint:contextcheck // nor here
		return fmt.Errorf("%w: starting the authority: %w", ErrService, err)
	}
	serving, cancel := context.WithCancel(context.WithoutCancel(ctx))
	s.Authority, s.endServe, s.serveDone = a, cancel, make(chan struct{})
	go func() {
		defer close(s.serveDone)
		if err := a.Serve(serving); err != nil {
			s.fail("the authority", err)
		}
	}()
	return nil
}

// watch notices a child that ends unasked.
func (s *Services) watch(name string, p *child.Process) {
	go func() {
		<-p.Done()
		s.fail(name, errors.Join(errEnded, p.Err()))
	}()
}

func (s *Services) fail(name string, err error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.closing || s.failure != nil {
		return
	}
	s.failure = fmt.Errorf("%w: %s: %w", ErrService, name, err)
	close(s.done)
}

// Done is closed when a service died by itself; Err says which. The others still run until Close.
func (s *Services) Done() <-chan struct{} { return s.done }

// Err is nil while all services run.
func (s *Services) Err() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.failure
}

// Close stops everything in order and gives the folder free; nothing keeps running after it returns. It takes a second, and a
// minute at the very most. Calling it again returns the same.
func (s *Services) Close() error {
	s.closeOnce.Do(func() {
		s.mu.Lock()
		s.closing = true
		s.mu.Unlock()
		s.closeErr = s.stopAll()
	})
	return s.closeErr
}

func (s *Services) stopAll() error {
	var errs []error
	if s.endServe != nil {
		s.endServe()
		<-s.serveDone
	}
	if s.objects != nil {
		errs = append(errs, s.objects.Stop())
	}
	if s.postgres != nil {
		errs = append(errs, s.postgres.Stop())
	}
	if s.sockets.away != "" {
		forgetSockets(s.folder.join("run", socketNote))
	}
	return errors.Join(append(errs, s.folder.release())...)
}
