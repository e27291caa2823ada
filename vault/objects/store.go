package objects

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"sync"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"trien/vault"
)

const (
	defaultPartSize = 8 << 20
	minPartSize     = 5 << 20 // S3's own rule
	maxPartSize     = 1 << 30
	maxParts        = 10_000
	defaultRegion   = "us-east-1"
)

// Config of an S3 bucket.
type Config struct {
	Endpoint  string // host:port
	Socket    string // unix socket of the server; empty: TCP
	Secure    bool   // TLS
	CAFile    string // PEM of the server's CA; empty: the system's
	Region    string // empty: us-east-1
	Bucket    string
	AccessKey string
	SecretKey Secret
	PartSize  int64 // bytes, from 5 MiB to 1 GiB; 0: 8 MiB; memory per running Put is at most two parts, and an object at most 10,000
}

// Secret never shows in logs.
type Secret string

const hidden = "[secret hidden]"

// LogValue hides the secret.
func (Secret) LogValue() slog.Value { return slog.StringValue(hidden) }

// Format hides the secret from every verb of fmt.
func (Secret) Format(f fmt.State, _ rune) { _, _ = f.Write([]byte(hidden)) }

// MarshalText refuses: a secret that reaches an encoder is a mistake.
func (Secret) MarshalText() ([]byte, error) {
	return nil, errors.New("objects: a secret is never marshalled")
}

// Store is a bucket. It implements vault.Objects and is safe for concurrent use.
type Store struct {
	core     minio.Core
	bucket   string
	partSize int
	buffers  buffers
	pause    time.Duration // before the first retry
}

var _ vault.Objects = (*Store)(nil)

// Open connects, makes the bucket if it may and it is missing, and probes that conditional puts are honoured. The context bounds
// the opening only. Errors wrap [ErrConfig], [ErrUnsupported] or [vault.ErrUnavailable].
func Open(ctx context.Context, c Config) (*Store, error) {
	if c.PartSize == 0 {
		c.PartSize = defaultPartSize
	}
	if c.PartSize < minPartSize || c.PartSize > maxPartSize {
		return nil, fmt.Errorf("%w: a part of %d bytes", ErrConfig, c.PartSize)
	}
	if c.Bucket == "" || c.Endpoint == "" {
		return nil, fmt.Errorf("%w: it names no endpoint or no bucket", ErrConfig)
	}
	if c.Region == "" {
		c.Region = defaultRegion
	}
	transport, err := c.transport()
	if err != nil {
		return nil, err
	}
	core, err := minio.NewCore(c.Endpoint, &minio.Options{
		Creds:           credentials.NewStaticV4(c.AccessKey, string(c.SecretKey), ""),
		Secure:          c.Secure,
		Transport:       transport,
		Region:          c.Region,
		BucketLookup:    minio.BucketLookupPath,
		TrailingHeaders: true, // or checksums are refused
		MaxRetries:      1,    // we retry ourselves: we have the part at hand, and know whether an attempt may have had its effect
	})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrConfig, err)
	}
	s := &Store{core: *core, bucket: c.Bucket, partSize: int(c.PartSize), pause: 100 * time.Millisecond}
	s.buffers.init(s.partSize)
	if err := s.ensureBucket(ctx, c.Region); err != nil {
		return nil, fmt.Errorf("opening bucket %s: %w", c.Bucket, err)
	}
	if err := s.probe(ctx); err != nil {
		return nil, fmt.Errorf("probing bucket %s: %w", c.Bucket, err)
	}
	return s, nil
}

func (c Config) transport() (*http.Transport, error) {
	dialer := net.Dialer{Timeout: 10 * time.Second, KeepAlive: 30 * time.Second}
	dial := dialer.DialContext
	if c.Socket != "" {
		dial = func(ctx context.Context, _, _ string) (net.Conn, error) {
			return dialer.DialContext(ctx, "unix", c.Socket)
		}
	}
	t := &http.Transport{
		DialContext:           dial,
		MaxIdleConnsPerHost:   64,
		IdleConnTimeout:       time.Minute,
		TLSHandshakeTimeout:   10 * time.Second,
		ResponseHeaderTimeout: 5 * time.Minute, // putting parts together takes a server its time
		ExpectContinueTimeout: 5 * time.Second,
		DisableCompression:    true,
		WriteBufferSize:       64 << 10,
		ReadBufferSize:        64 << 10,
	}
	if !c.Secure {
		return t, nil
	}
	t.TLSClientConfig = &tls.Config{MinVersion: tls.VersionTLS12}
	if c.CAFile == "" {
		return t, nil
	}
	pem, err := os.ReadFile(c.CAFile)
	if err != nil {
		return nil, fmt.Errorf("%w: reading the server's CA: %w", ErrConfig, err)
	}
	t.TLSClientConfig.RootCAs = x509.NewCertPool()
	if !t.TLSClientConfig.RootCAs.AppendCertsFromPEM(pem) {
		return nil, fmt.Errorf("%w: %s holds no certificate", ErrConfig, c.CAFile)
	}
	return t, nil
}

func (s *Store) ensureBucket(ctx context.Context, region string) error {
	var exists bool
	err := s.retry(ctx, func() (err error) {
		exists, err = s.core.BucketExists(ctx, s.bucket)
		return err
	})
	if err != nil || exists {
		return classify(err)
	}
	err = s.retry(ctx, func() error {
		return s.core.MakeBucket(ctx, s.bucket, minio.MakeBucketOptions{Region: region})
	})
	if hasCode(err, codeBucketOwned, codeBucketExists) { // another node was faster
		return nil
	}
	return classify(err)
}

// Ready reports whether the bucket answers.
func (s *Store) Ready(ctx context.Context) error {
	exists, err := s.core.BucketExists(ctx, s.bucket)
	if err != nil {
		return fmt.Errorf("looking for the bucket: %w", classify(err))
	}
	if !exists {
		return fmt.Errorf("%w: the bucket is missing", vault.ErrUnavailable)
	}
	return nil
}

// tries of a request, the first among them.
const tries = 4

// retry repeats a request that failed for a passing reason, with growing pauses.
func (s *Store) retry(ctx context.Context, request func() error) error {
	pause := s.pause
	for try := 1; ; try++ {
		err := request()
		if err == nil || try == tries || !worthRetrying(err) || ctx.Err() != nil {
			return err
		}
		select {
		case <-ctx.Done():
			return errors.Join(ctx.Err(), err)
		case <-time.After(pause):
		}
		pause *= 4
	}
}

// buffers holds what parts are read into: small ones too, since most objects are small.
type buffers struct {
	sizes []int
	pools []sync.Pool
}

func (b *buffers) init(partSize int) {
	b.sizes = []int{128 << 10, 1 << 20, partSize}
	b.pools = make([]sync.Pool, len(b.sizes))
}

// buffer of one of the sizes.
type buffer struct {
	b     []byte
	class int
}

func (b *buffers) get(class int) *buffer {
	if have, ok := b.pools[class].Get().(*buffer); ok {
		return have
	}
	return &buffer{b: make([]byte, b.sizes[class]), class: class}
}

func (b *buffers) put(have *buffer) { b.pools[have.class].Put(have) }

// full is the class of a whole part.
func (b *buffers) full() int { return len(b.sizes) - 1 }
