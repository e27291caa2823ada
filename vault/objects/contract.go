// Package objects …(contract): ciphertext in S3 through minio-go.
package objects

import (
	"context"

	"trien/vault"
)

// Config of an S3 bucket.
type Config struct {
	Endpoint  string // host:port
	Socket    string // unix socket of the server; empty: TCP
	Secure    bool   // TLS
	CAFile    string // PEM of the server's CA; empty: the system's
	Region    string
	Bucket    string
	AccessKey string
	SecretKey Secret
	PartSize  int64 // 0: 8 MiB; memory per running Put is at most two parts
}

// Secret never shows in logs.
type Secret string

// Open connects, makes the bucket if it may and it is missing, and probes that conditional puts are honoured. The result implements vault.Objects.
func Open(ctx context.Context, c Config) (*Store, error) { panic("contract") }

type Store struct{}

var _ vault.Objects = (*Store)(nil)
