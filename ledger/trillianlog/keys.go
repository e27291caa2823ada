package trillianlog

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/jackc/pgx/v5"
	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

// namedSigner knows the vkey of its key.
type namedSigner struct {
	note.Signer
	verifierKey string
}

// VerifierKey implements [ledger.Signer].
func (s namedSigner) VerifierKey() string { return s.verifierKey }

// Keys are the vkeys with which the log named origin has signed, the current one first; none if the database has no such log.
func Keys(ctx context.Context, database, origin string) ([]string, error) {
	cfg, err := poolConfigOf(database)
	if err != nil {
		return nil, err
	}
	conn, err := pgx.ConnectConfig(ctx, cfg.ConnConfig)
	if err != nil {
		return nil, fmt.Errorf("opening database: %w", err)
	}
	defer hangUp(context.WithoutCancel(ctx), conn)
	var there bool
	if err := conn.QueryRow(ctx, `SELECT to_regclass('ledger.key') IS NOT NULL`).Scan(&there); err != nil || !there {
		return nil, err
	}
	return readKeys(ctx, conn, `SELECT id FROM ledger.log WHERE origin = $1`, origin)
}

// readKeys lists the keys of the log that a query finds, the newest first.
func readKeys(ctx context.Context, c *pgx.Conn, log string, args ...any) ([]string, error) {
	rows, err := c.Query(ctx, `SELECT verifier_key FROM ledger.key WHERE log_id = (`+log+`) ORDER BY number DESC`, args...)
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	keys, err := pgx.CollectRows(rows, pgx.RowTo[string])
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	return keys, nil
}

// registerKey makes sure that the configured key is the one under which the log goes on, and knows all that signed before it.
// The caller holds the migration lock.
func (l *Log) registerKey(ctx context.Context, c *pgx.Conn) error {
	keys, err := readKeys(ctx, c, `SELECT $1::integer`, l.id)
	if err != nil {
		return err
	}
	own := l.signers[0].VerifierKey()
	if len(keys) == 0 { // a new log, or one from before keys were remembered
		if _, err := l.readHead(ctx, c); err != nil {
			return err
		}
		_, err := c.Exec(ctx, `INSERT INTO ledger.key (log_id, number, verifier_key, since_size) VALUES ($1, 1, $2, 0)`, l.id, own)
		if err != nil {
			return fmt.Errorf("remembering the log's key: %w", err)
		}
		keys = []string{own}
	}
	current := keys[0]
	if _, err := l.signerFor(current); err != nil {
		return err
	}
	if next := l.signers[len(l.signers)-1].VerifierKey(); !slices.Contains(keys, next) {
		keys = slices.Insert(keys, 0, next)
	}
	l.policy, err = fullPolicy(keys, l.cosigner)
	return err
}

// fullPolicy is what strangers judge by: the log's keys, and the witnesses if there are any.
func fullPolicy(keys []string, witnesses Cosigner) (*ledger.Policy, error) {
	var text strings.Builder
	for _, k := range keys {
		fmt.Fprintf(&text, "log %s\n", k)
	}
	if witnesses == nil {
		text.WriteString("quorum none\n")
	} else {
		for line := range strings.Lines(string(witnesses.Policy().Text())) {
			if !strings.HasPrefix(line, "log ") {
				text.WriteString(line)
			}
		}
	}
	p, err := ledger.ParsePolicy([]byte(text.String()))
	if err != nil {
		return nil, fmt.Errorf("putting the policy together: %w", err)
	}
	return p, nil
}

// signerFor returns the signer of a key of the log. Errors wrap [ledger.ErrPolicy].
func (l *Log) signerFor(verifierKey string) (ledger.Signer, error) {
	for _, s := range l.signers {
		if s.VerifierKey() == verifierKey {
			return s, nil
		}
	}
	return nil, fmt.Errorf("%w: the log goes on under key %s, and %s is configured", ledger.ErrPolicy, verifierKey, l.signers[0].VerifierKey())
}

// sign signs a tree with the key that signed the one before. If the last of its leaves hands over to another key, that one
// signs too, and alone from then on.
func (p *publisher) sign(next *growth) error {
	current, err := p.log.signerFor(p.head.Key)
	if err != nil {
		return err
	}
	event, handsOver := keyEvent(next.leaves[len(next.leaves)-1].leaf, p.head.Key)
	if !handsOver {
		next.signed, err = ledger.SignCheckpoint(current, next.edge.Size(), next.root)
		return err
	}
	newer, err := p.log.signerFor(event.New)
	if err != nil {
		// A rotation that was cut short after its event was appended. This node cannot sign past it.
		return fmt.Errorf("%w %s: %s", errHandover, event.New, "finish `trien ledger rotate-key` and run with that key")
	}
	next.key = event.New
	next.signed, err = ledger.SignRotation(newer, current, next.edge.Size(), next.root)
	return err
}

// keyEvent reads a leaf by which a key hands over.
func keyEvent(leaf ledger.Leaf, from string) (ledger.KeyEvent, bool) {
	e, err := ledger.ParseKeyLeaf(leaf)
	return e, err == nil && e.Old == from
}

// upToHandover cuts leaves off behind the first by which a key hands over: the tree that both keys sign ends with it.
func upToHandover(leaves []sequenced, from string) []sequenced {
	i := slices.IndexFunc(leaves, func(s sequenced) bool { _, handsOver := keyEvent(s.leaf, from); return handsOver })
	if i < 0 {
		return leaves
	}
	return leaves[:i+1]
}

// queueKey adds to a batch that a new key has begun to sign.
func (l *Log) queueKey(b *pgx.Batch, next growth) {
	if next.key == "" {
		return
	}
	b.Queue(`
		INSERT INTO ledger.key (log_id, number, verifier_key, since_size, checkpoint)
		SELECT @log, max(number) + 1, @key, @size, @checkpoint FROM ledger.key WHERE log_id = @log`,
		pgx.NamedArgs{"log": l.id, "key": next.key, "size": int64(next.edge.Size()), "checkpoint": next.signed})
}

// unpublishedRotation returns the head that both the old key and the new one have signed, if no checkpoint of its size has
// been published yet; otherwise nil.
func (l *Log) unpublishedRotation(ctx context.Context, last published) (*head, error) {
	beyond := int64(-1)
	if !last.none() {
		beyond = int64(last.Size)
	}
	var signed []byte
	err := l.pool.QueryRow(ctx, `
		SELECT checkpoint FROM ledger.key WHERE log_id = $1 AND checkpoint IS NOT NULL AND since_size > $2 ORDER BY number LIMIT 1`,
		l.id, beyond).Scan(&signed)
	if errors.Is(err, pgx.ErrNoRows) {
		return nil, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	c, err := l.policy.OpenUnwitnessed(signed)
	if err != nil {
		return nil, fmt.Errorf("reading the log's keys: %w", err)
	}
	return &head{c, signed}, nil
}

// Rotate makes the log go on under [Config.Next]: it appends the key event, and returns when a checkpoint that both keys have
// signed covers it and is published, where the log is published. It needs the lock, so no other node may run, and Run
// has to be under way on this one. Whatever step it dies after, calling it again with the same two keys goes on from there; a
// node that has the old key alone signs nothing past the event.
func (l *Log) Rotate(ctx context.Context) error {
	if len(l.signers) != 2 {
		return errors.New("trillianlog: no key to go on with is configured")
	}
	for !l.leading.Load() {
		if err := l.failure(); err != nil {
			return err
		}
		if sleep(ctx, recheck/10); ctx.Err() != nil {
			return fmt.Errorf("%w: %w", errStandby, ctx.Err())
		}
	}
	e, err := l.rotationEntry(ctx)
	if err != nil {
		return err
	}
	if err := l.Append(ctx, []ledger.Entry{e}); err != nil {
		return err
	}
	if _, err := l.Await(ctx, e); err != nil {
		return err
	}
	for l.publishes() {
		_, err := l.WitnessedReceipt(ctx, e)
		if err == nil || !errors.Is(err, ledger.ErrNotLogged) {
			return err
		}
		if sleep(ctx, recheck/10); ctx.Err() != nil {
			return fmt.Errorf("publishing the new key: %w: %w", ctx.Err(), err)
		}
	}
	return nil
}

// rotationEntry is the key event that was decided on first: its time is not that of another try.
func (l *Log) rotationEntry(ctx context.Context) (ledger.Entry, error) {
	e := ledger.KeyEvent{
		Old: l.signers[0].VerifierKey(), New: l.signers[1].VerifierKey(), Time: l.now().UTC().Truncate(time.Microsecond),
	}
	leaf, err := e.Leaf()
	if err != nil {
		return ledger.Entry{}, err
	}
	_, err = l.pool.Exec(ctx, `
		INSERT INTO ledger.rotation (log_id, old_key, new_key, leaf) VALUES ($1, $2, $3, $4) ON CONFLICT DO NOTHING`, l.id, e.Old, e.New, []byte(leaf))
	if err == nil {
		var kept []byte
		err = l.pool.QueryRow(ctx, `SELECT leaf FROM ledger.rotation WHERE log_id = $1 AND old_key = $2 AND new_key = $3`, l.id, e.Old, e.New).Scan(&kept)
		leaf = kept
	}
	if err != nil {
		return ledger.Entry{}, fmt.Errorf("deciding on the key event: %w", err)
	}
	return ledger.Entry{Identity: e.Identity(), Leaf: leaf}, nil
}
