package client

import (
	"context"
	"crypto/tls"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"

	"trien/api/wire"
)

// Kinds of error. What the server itself answers is a *[Problem].
var (
	ErrConfig     = errors.New("client: bad configuration")
	ErrConnection = errors.New("client: no connection to the server")
	ErrUntrusted  = errors.New("client: the server's certificate is not under the authority given")
	ErrAnswer     = errors.New("client: the server's answer cannot be read")
	ErrDamaged    = errors.New("client: what arrived differs from what the server declared")
)

// Problem is the server's refusal. Error gives its text in the client's language, its code and its request id.
type Problem struct {
	wire.Problem
	RetryAfter time.Duration // zero: the server said nothing
}

// Error is meant for the person at the keyboard.
func (p *Problem) Error() string {
	text := p.Title
	if p.Detail != "" {
		text += ". " + p.Detail
	}
	text += " [" + p.Code
	if p.Field != "" {
		text += ": " + p.Field
	}
	if p.RequestID != "" {
		text += ", " + p.RequestID
	}
	return text + "]"
}

// HasCode says whether err is a problem with the stable code given.
func HasCode(err error, code string) bool {
	var p *Problem
	return errors.As(err, &p) && p.Code == code
}

func (c *Client) connectionError(ctx context.Context, err error) error {
	if ctx.Err() != nil {
		return context.Cause(ctx)
	}
	var untrusted *tls.CertificateVerificationError
	if errors.As(err, &untrusted) || errors.Is(err, ErrUntrusted) {
		return fmt.Errorf("%w: %w", ErrUntrusted, err)
	}
	return fmt.Errorf("%w: %w", ErrConnection, err)
}

func (c *Client) readProblem(resp *http.Response) error {
	p := &Problem{}
	raw, err := io.ReadAll(io.LimitReader(resp.Body, 64<<10))
	if err != nil || json.Unmarshal(raw, &p.Problem) != nil || p.Code == "" {
		p.Problem = wire.Problem{Code: "http_" + strconv.Itoa(resp.StatusCode), Title: resp.Status, RequestID: resp.Header.Get(wire.RequestID)}
	}
	p.Status = resp.StatusCode
	if s, err := strconv.Atoi(resp.Header.Get("Retry-After")); err == nil && s > 0 {
		p.RetryAfter = time.Duration(s) * time.Second
	}
	return p
}
