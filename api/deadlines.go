package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"time"

	"trien/vault"
)

// Deadlines roll: a peer may take long, but not be silent for long. While a handler works and nothing is read, no read deadline
// may stand, since the server would take its end for the client's going away. A recorder in a test knows no deadlines, which
// is why errors of setting them are dropped here: a connection that is gone shows at the next read or write.

func clearDeadlines(w http.ResponseWriter) {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Time{})
	_ = rc.SetWriteDeadline(time.Time{})
}

func extendWrite(w http.ResponseWriter) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(stallTimeout))
}

// rollingReader reads a request's body under a deadline that every read extends.
type rollingReader struct {
	body io.Reader
	rc   *http.ResponseController
}

func newRollingReader(w http.ResponseWriter, body io.Reader) *rollingReader {
	return &rollingReader{body, http.NewResponseController(w)}
}

func (r *rollingReader) Read(p []byte) (int, error) {
	_ = r.rc.SetReadDeadline(time.Now().Add(stallTimeout))
	n, err := r.body.Read(p)
	_ = r.rc.SetReadDeadline(time.Time{})
	return n, transportError(err)
}

// transportError tells what ended a body early; the end itself and a limit that was reached stay as they are.
func transportError(err error) error {
	var tooLarge *http.MaxBytesError
	switch {
	case err == nil, errors.Is(err, io.EOF), errors.As(err, &tooLarge):
		return err
	case errors.Is(err, os.ErrDeadlineExceeded):
		return errSlow
	}
	return fmt.Errorf("%w: %w", vault.ErrInterrupted, err)
}

// Bounds on what is still read of a body that was refused, so that its sender gets to read why: a sender that is cut off while it
// writes may see a broken connection instead of the answer.
const (
	drainBytes = 64 << 20
	drainTime  = 15 * time.Second
)

// drain reads on, within bounds, after a refusal. It reports whether the body came to its end; if not, the connection is closed
// once the answer is out.
func drain(w http.ResponseWriter, body io.Reader) bool {
	rc := http.NewResponseController(w)
	_ = rc.SetReadDeadline(time.Now().Add(drainTime))
	defer func() { _ = rc.SetReadDeadline(time.Time{}) }()
	n, err := io.CopyN(io.Discard, body, drainBytes)
	if errors.Is(err, io.EOF) && n < drainBytes {
		return true
	}
	w.Header().Set("Connection", "close")
	return false
}
