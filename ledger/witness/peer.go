package witness

import (
	"bytes"
	"context"
	"crypto/tls"
	"crypto/x509"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"strings"
	"sync"
	"time"

	"trien/ledger"
)

const (
	maxAnswer      = 16 << 10
	maxAnswerLines = 16
	maxRounds      = 3               // the size we remember, the size it tells, and once more if another asker came between
	maxAhead       = 5 * time.Minute // how far a witness's clock may run ahead of ours
)

// errOwnProof: our own tree gave no proof, which says nothing about the witness.
var errOwnProof = errors.New("witness: no consistency proof of our own")

// peer is one witness as the client knows it.
type peer struct {
	ledger.Witness
	client *Client

	mu     sync.Mutex
	status Status
	note   []byte // the last checkpoint that it co-signed for us
}

// question is one checkpoint to be co-signed.
type question struct {
	head  ledger.Checkpoint
	note  []byte // with the log's own lines only
	prove Prove
}

type answer struct {
	line string // its co-signature
	err  error
}

// ask puts the question to the witness and keeps count.
func (p *peer) ask(ctx context.Context, q question) answer {
	line, err := p.cosign(ctx, q)
	if err != nil {
		err = fmt.Errorf("witness %q: %w", p.Name, err)
	}
	p.mu.Lock()
	defer p.mu.Unlock()
	p.status.LastError = kindOf(err)
	if err == nil {
		p.status.LastSuccess, p.status.Size, p.note = p.client.clock(), q.head.Size, q.note
		return answer{line: line}
	}
	p.status.Failures++
	p.client.logger.Warn("witness did not co-sign",
		slog.String("witness", p.Name), slog.String("kind", p.status.LastError), slog.Uint64("size", q.head.Size))
	return answer{err: err}
}

func kindOf(err error) string {
	switch {
	case err == nil:
		return ""
	case errors.Is(err, ledger.ErrForked):
		return "forked"
	case errors.Is(err, ErrDisputed):
		return "disputed"
	case errors.Is(err, ErrRefused):
		return "refused"
	case errors.Is(err, ErrAnswer):
		return "answer"
	case errors.Is(err, errOwnProof):
		return "proof"
	}
	return "unavailable"
}

// cosign follows the protocol: with the size that the witness has, or, if that is not known or no longer true, the size it
// then tells.
func (p *peer) cosign(ctx context.Context, q question) (string, error) {
	p.mu.Lock()
	old := min(p.status.Size, q.head.Size)
	p.mu.Unlock()
	for range maxRounds {
		r := request{old: old, note: q.note}
		if old > 0 && old < q.head.Size {
			path, err := q.prove(ctx, old)
			if err != nil {
				return "", fmt.Errorf("%w: from size %d: %w", errOwnProof, old, err)
			}
			r.proof = path
		}
		status, kind, body, err := p.do(ctx, http.MethodPost, addCheckpointPath, r.marshal())
		if err != nil {
			return "", err
		}
		dispute := &DisputeError{Witness: p.Name, Ours: q.note, Size: old, Status: status, Answer: body}
		switch status {
		case http.StatusOK:
			return p.readCosignature(q, body)
		case http.StatusConflict:
			size, err := readSize(kind, body)
			if err != nil || size == old { // also how a witness says that it has another root for this size
				return "", p.judgeDispute(ctx, q, dispute)
			}
			p.mu.Lock()
			p.status.Size = size
			p.mu.Unlock()
			if dispute.Size = size; size > q.head.Size {
				return "", p.judgeDispute(ctx, q, dispute)
			}
			old = size
		case http.StatusUnprocessableEntity:
			return "", p.judgeDispute(ctx, q, dispute)
		case http.StatusBadRequest, http.StatusForbidden, http.StatusNotFound, http.StatusMethodNotAllowed:
			return "", fmt.Errorf("%w: status %d", ErrRefused, status)
		default:
			return "", fmt.Errorf("%w: status %d", ErrUnavailable, status)
		}
	}
	return "", fmt.Errorf("%w: another size in each of %d answers", ErrAnswer, maxRounds)
}

// readCosignature finds the witness's line in its answer. Lines by other keys are passed over, as the protocol demands; a
// line by its key that does not hold spoils the answer.
func (p *peer) readCosignature(q question, body []byte) (found string, err error) {
	lines := strings.SplitAfter(string(body), "\n")
	if len(lines) > maxAnswerLines+1 || lines[len(lines)-1] != "" {
		return "", fmt.Errorf("%w: not a few signature lines", ErrAnswer)
	}
	for _, line := range lines[:len(lines)-1] {
		at, err := p.OpenCosignature(q.head.NoteText(), line)
		switch {
		case errors.Is(err, ledger.ErrPolicy):
			continue
		case err != nil:
			return "", fmt.Errorf("%w: %w", ErrAnswer, err)
		case at.After(p.client.clock().Add(maxAhead)):
			return "", fmt.Errorf("%w: its clock is more than %s ahead of ours", ErrAnswer, maxAhead)
		}
		found = line
	}
	if found == "" {
		return "", fmt.Errorf("%w: no signature by the key that the policy names", ErrAnswer)
	}
	return found, nil
}

func readSize(kind string, body []byte) (uint64, error) {
	digits, ended := strings.CutSuffix(string(body), "\n")
	if kind != sizeType || !ended {
		return 0, fmt.Errorf("%w: no size", ErrAnswer)
	}
	return parseSize(digits)
}

// judgeDispute looks for the checkpoint that the witness co-signed instead of ours: what it shows, or what we remember that it
// co-signed. With it the error is a [ForkError], without it the dispute.
func (p *peer) judgeDispute(ctx context.Context, q question, dispute *DisputeError) error {
	p.mu.Lock()
	remembered := p.note
	p.mu.Unlock()
	candidates := [][]byte{remembered}
	if status, _, shown, err := p.do(ctx, http.MethodGet, checkpointPath(q.head.Origin), nil); err == nil && status == http.StatusOK {
		candidates = append(candidates, shown)
	}
	for _, theirs := range candidates {
		if err := p.compare(ctx, q, theirs); errors.Is(err, ledger.ErrForked) {
			return &ForkError{Witness: p.Name, Ours: q.note, Theirs: theirs, reason: err}
		}
	}
	return dispute
}

// compare returns an error wrapping [ledger.ErrForked] if theirs is a checkpoint of the log that ours does not extend.
func (p *peer) compare(ctx context.Context, q question, theirs []byte) error {
	if theirs == nil {
		return nil
	}
	other, err := p.client.policy.OpenUnwitnessed(theirs)
	switch {
	case err != nil || other.Size == 0:
		return err
	case other.Size > q.head.Size:
		return fmt.Errorf("%w: it has size %d, ours has %d", ledger.ErrForked, other.Size, q.head.Size)
	case other.Size == q.head.Size:
		return ledger.CheckConsistency(other, q.head, nil)
	}
	path, err := q.prove(ctx, other.Size)
	if err != nil {
		return err
	}
	return ledger.CheckConsistency(other, q.head, path)
}

// do sends one request and reads a bounded answer.
func (p *peer) do(ctx context.Context, method, path string, body []byte) (status int, contentType string, answer []byte, err error) {
	r, err := http.NewRequestWithContext(ctx, method, p.URL+path, bytes.NewReader(body))
	if err != nil {
		return 0, "", nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	resp, err := p.client.http.Do(r)
	if err != nil {
		return 0, "", nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	defer func() { _ = resp.Body.Close() }()
	answer, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if err != nil {
		return 0, "", nil, fmt.Errorf("%w: %w", ErrUnavailable, err)
	}
	if len(answer) > maxAnswer {
		return 0, "", nil, fmt.Errorf("%w: longer than %d bytes", ErrAnswer, maxAnswer)
	}
	return resp.StatusCode, resp.Header.Get("Content-Type"), answer, nil
}

// newHTTP is the client that talks to witnesses: whose host stands in the policy is asked, and nobody it points to.
func newHTTP(given *http.Client, roots *x509.CertPool) *http.Client {
	var h http.Client
	if given != nil {
		h = *given
	} else {
		h.Transport = &http.Transport{
			Proxy:                  http.ProxyFromEnvironment,
			TLSClientConfig:        &tls.Config{MinVersion: tls.VersionTLS12, RootCAs: roots},
			MaxResponseHeaderBytes: maxAnswer,
			MaxIdleConnsPerHost:    2,
			IdleConnTimeout:        90 * time.Second,
			ForceAttemptHTTP2:      true,
		}
	}
	h.CheckRedirect = func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse }
	return &h
}
