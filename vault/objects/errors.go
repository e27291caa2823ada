package objects

import (
	"context"
	"errors"
	"fmt"
	"net/http"

	"github.com/minio/minio-go/v7"

	"trien/vault"
)

// Kinds of error of [Open]. Whatever the methods of [Store] return wraps a kind of package vault, a context's error, or an error of
// the reader that was to be stored.
var (
	ErrConfig      = errors.New("objects: the configuration cannot be used")
	ErrUnsupported = errors.New("objects: the S3 server overwrites objects: it does not honour If-None-Match")
)

// S3's error codes that we tell apart.
const (
	codeNoSuchKey     = "NoSuchKey"
	codeNoSuchVersion = "NoSuchVersion"
	codeNoSuchUpload  = "NoSuchUpload"
	codeInvalidRange  = "InvalidRange"
	codeNotFound      = "NotFound" // of a request without a body
	codeBucketOwned   = "BucketAlreadyOwnedByYou"
	codeBucketExists  = "BucketAlreadyExists"
	codeBadDigest     = "BadDigest"
	codeBadChecksum   = "XAmzContentChecksumMismatch"
	codeBadSHA256     = "XAmzContentSHA256Mismatch"
	codeRace          = "ConditionalRequestConflict"
)

// response is what the server answered; false if it did not.
func response(err error) (minio.ErrorResponse, bool) {
	var r minio.ErrorResponse
	ok := errors.As(err, &r) && r.StatusCode != 0
	return r, ok
}

func hasCode(err error, codes ...string) bool {
	r, ok := response(err)
	if !ok {
		return false
	}
	for _, c := range codes {
		if r.Code == c {
			return true
		}
	}
	return false
}

func isConflict(err error) bool {
	r, ok := response(err)
	return ok && (r.StatusCode == http.StatusPreconditionFailed || r.Code == codeRace)
}

// classify gives an error of the server or the network its kind.
func classify(err error) error {
	if err == nil || errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, vault.ErrTampered) {
		return err
	}
	r, answered := response(err)
	switch {
	case isConflict(err):
		return fmt.Errorf("%w: the object exists: %w", vault.ErrConflict, err)
	case hasCode(err, codeNoSuchKey, codeNoSuchVersion), answered && r.Code == codeNotFound && r.Key != "":
		return fmt.Errorf("%w: object: %w", vault.ErrNotFound, err)
	case answered && r.StatusCode < http.StatusInternalServerError && !worthRetrying(err):
		return err // a refusal that no waiting mends: rights, a missing bucket
	default:
		return fmt.Errorf("%w: object store: %w", vault.ErrUnavailable, err)
	}
}

// worthRetrying reports whether the same request may succeed in a moment: the network or the server failed, or what arrived
// was not what we sent.
func worthRetrying(err error) bool {
	if errors.Is(err, context.Canceled) || errors.Is(err, context.DeadlineExceeded) || errors.Is(err, vault.ErrTampered) {
		return false
	}
	r, answered := response(err)
	if !answered {
		return true
	}
	switch r.StatusCode {
	case http.StatusRequestTimeout, http.StatusTooManyRequests:
		return true
	case http.StatusNotImplemented, http.StatusHTTPVersionNotSupported:
		return false
	}
	switch r.Code {
	case codeBadDigest, codeBadChecksum, codeBadSHA256, codeRace, "RequestTimeout", "SlowDown":
		return true
	}
	return r.StatusCode >= http.StatusInternalServerError
}
