package witness

import (
	"context"
	"crypto/x509"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"trien/ledger"
)

const (
	defaultTimeout = 5 * time.Second
	defaultGrace   = 500 * time.Millisecond
)

// Config says whom to ask and for how long. Only the policy must be given.
type Config struct {
	Policy  *ledger.Policy   // its witnesses with a URL are asked
	HTTP    *http.Client     // nil: one of our own, TLS 1.2 or later; redirects are never followed
	Roots   *x509.CertPool   // whom our own believes; nil: the system's
	Timeout time.Duration    // for all that is asked of one witness in one call; 0: 5 s
	Grace   time.Duration    // how long the others may still take once the quorum is met; 0: 500 ms
	Clock   func() time.Time // nil: time.Now
	Logger  *slog.Logger     // nil: silence
}

// Client asks a policy's witnesses for co-signatures. It remembers what each of them has, which saves a round trip, and
// relies on nothing that it remembers. It may be used concurrently.
type Client struct {
	policy         *ledger.Policy
	http           *http.Client
	timeout, grace time.Duration
	clock          func() time.Time
	logger         *slog.Logger
	peers          []*peer
}

// New is a client of the witnesses of a policy. Errors wrap [ledger.ErrPolicy].
func New(cfg Config) (*Client, error) {
	if cfg.Policy == nil {
		return nil, fmt.Errorf("%w: a client of witnesses needs a policy", ledger.ErrPolicy)
	}
	c := &Client{policy: cfg.Policy, http: newHTTP(cfg.HTTP, cfg.Roots), timeout: cfg.Timeout, grace: cfg.Grace, clock: cfg.Clock, logger: cfg.Logger}
	if c.timeout <= 0 {
		c.timeout = defaultTimeout
	}
	if c.grace <= 0 {
		c.grace = defaultGrace
	}
	if c.clock == nil {
		c.clock = time.Now
	}
	if c.logger == nil {
		c.logger = slog.New(slog.DiscardHandler)
	}
	for _, w := range cfg.Policy.Witnesses() {
		if w.URL != "" {
			c.peers = append(c.peers, &peer{Witness: w, client: c})
		}
	}
	return c, nil
}

// Policy is the policy whose witnesses are asked.
func (c *Client) Policy() *ledger.Policy { return c.policy }

// Prove gives the RFC 6962 consistency proof from the tree of size older to the tree of the checkpoint that is being
// co-signed. It is called for sizes above 0 and below the checkpoint's, once for each.
type Prove = func(ctx context.Context, older uint64) ([]ledger.Hash, error)

// Cosign asks all witnesses at once to co-sign the newest checkpoint of the log and returns it with every co-signature that
// holds, those it came with and those that came in time. Ask with the newest one only: a witness that has a larger tree,
// signed by the log, is proof that the log was rolled back.
//
// The checkpoint is returned as far as it got also with an error, which wraps [ErrQuorum] if the policy's quorum is not
// met, with what each failing witness did, and [ledger.ErrForked] (a [*ForkError]) if a witness proved a fork, even
// beside a quorum. Only if the checkpoint is not the log's is nothing returned; then the error is that of
// [ledger.Policy.OpenUnwitnessed].
func (c *Client) Cosign(ctx context.Context, signed []byte, prove Prove) (cosigned []byte, err error) {
	head, err := c.policy.OpenUnwitnessed(signed)
	if err != nil {
		return nil, err
	}
	own, err := ledger.WithoutCosignatures(c.policy, signed)
	if err != nil {
		return nil, err
	}
	ctx, cancel := context.WithTimeout(ctx, c.timeout)
	defer cancel()
	q := question{head: head, note: own, prove: onceForEach(prove)}
	answers := make(chan answer, len(c.peers))
	for _, p := range c.peers {
		go func() { answers <- p.ask(ctx, q) }()
	}
	cosigned, fresh, enough := signed, q.note, false
	var failed, forks []error
	for range c.peers {
		a := <-answers
		if a.err != nil {
			failed = append(failed, a.err)
			if errors.Is(a.err, ledger.ErrForked) {
				forks = append(forks, a.err)
			}
			continue
		}
		if cosigned, err = ledger.AddCosignatures(c.policy, cosigned, a.line); err != nil {
			return signed, err
		}
		if fresh, err = ledger.AddCosignatures(c.policy, fresh, a.line); err != nil {
			return signed, err
		}
		if _, err := c.policy.OpenCheckpoint(fresh); err == nil && !enough {
			enough = true
			defer time.AfterFunc(c.grace, cancel).Stop()
		}
	}
	if _, err := c.policy.OpenCheckpoint(cosigned); err != nil {
		return cosigned, fmt.Errorf("%w: %w", ErrQuorum, errors.Join(failed...))
	}
	return cosigned, errors.Join(forks...)
}

// Status is what is known of one witness.
type Status struct {
	Name        string    // in the policy
	LastSuccess time.Time // when it last co-signed; zero: never since the start
	LastError   string    // kind of its last failure, "" if the last call went well: unavailable, refused, answer, disputed, forked, proof
	Failures    uint64    // since the start
	Size        uint64    // of the tree that it co-signed last, as far as it is known
}

// Status tells of each witness that is asked, in the order of the policy.
func (c *Client) Status() []Status {
	all := make([]Status, len(c.peers))
	for i, p := range c.peers {
		p.mu.Lock()
		all[i] = p.status
		p.mu.Unlock()
		all[i].Name = p.Name
	}
	return all
}

// onceForEach asks for each proof once, however many witnesses need it.
func onceForEach(prove Prove) Prove {
	type proof struct {
		path []ledger.Hash
		err  error
	}
	var mu sync.Mutex
	known := map[uint64]proof{}
	return func(ctx context.Context, older uint64) ([]ledger.Hash, error) {
		mu.Lock()
		defer mu.Unlock()
		p, has := known[older]
		if !has {
			p.path, p.err = prove(ctx, older)
			known[older] = p
		}
		return p.path, p.err
	}
}
