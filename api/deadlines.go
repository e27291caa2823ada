package api

import (
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"trien/vault"
)

// Deadlines roll: a peer may take long, but not be silent for long. A request with a body has one from its first moment, since the
// library reads what a handler leaves over; once the body is at its end none may stand, since the server would take it for the
// client's going away. A recorder in a test knows no deadlines, which is why errors of setting them are dropped here: a
// connection that is gone shows at the next read or write.

func firstDeadlines(w http.ResponseWriter, r *http.Request, stall time.Duration) {
	rc := http.NewResponseController(w)
	_ = rc.SetWriteDeadline(time.Time{}) // a keep-alive connection may carry the one of its last answer
	if r.Body != nil && r.Body != http.NoBody {
		_ = rc.SetReadDeadline(time.Now().Add(stall))
	}
}

func extendWrite(w http.ResponseWriter, stall time.Duration) {
	_ = http.NewResponseController(w).SetWriteDeadline(time.Now().Add(stall))
}

// rollingReader reads a request's body under a deadline that every read extends.
type rollingReader struct {
	body  io.Reader
	rc    *http.ResponseController
	stall time.Duration
}

const keyBodyRead = "body_read"

// body of a request, at most so many bytes.
func (s *Server) body(c *gin.Context, most int64) io.Reader {
	c.Set(keyBodyRead, true)
	return &rollingReader{http.MaxBytesReader(c.Writer, c.Request.Body, most), http.NewResponseController(c.Writer), s.limits.Stall}
}

func (r *rollingReader) Read(p []byte) (int, error) {
	_ = r.rc.SetReadDeadline(time.Now().Add(r.stall))
	n, err := r.body.Read(p)
	if errors.Is(err, io.EOF) {
		_ = r.rc.SetReadDeadline(time.Time{})
	}
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

// drain reads on, within bounds, after a refusal. If the body does not come to its end, the connection is closed once the answer
// is out. A sender that waits to be told to go on gets its answer now, without sending anything.
func drain(c *gin.Context) {
	if strings.EqualFold(c.GetHeader("Expect"), "100-continue") && !c.GetBool(keyBodyRead) {
		return
	}
	rc := http.NewResponseController(c.Writer)
	_ = rc.SetReadDeadline(time.Now().Add(drainTime))
	if _, err := io.CopyN(io.Discard, c.Request.Body, drainBytes); !errors.Is(err, io.EOF) {
		giveUp(c)
	}
}

// giveUp ends the connection after the answer, without waiting for any more of the body.
func giveUp(c *gin.Context) {
	_ = http.NewResponseController(c.Writer).SetReadDeadline(time.Now())
	c.Header("Connection", "close")
}
