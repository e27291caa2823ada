package audit

import (
	"context"
	"errors"
	"fmt"
	"iter"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/ledger/tiles"
)

// DifferenceKind says how an inventory and a log disagree.
type DifferenceKind string

// The kinds of differences.
const (
	// NoLeaf is a version that is not in the log although it is no longer new.
	NoLeaf DifferenceKind = "version_without_leaf"
	// OtherLeaf is a version whose leaf is not the one at its place in the log.
	OtherLeaf DifferenceKind = "leaf_differs"
	// NoVersion is a leaf that no version of the inventory owns.
	NoVersion DifferenceKind = "leaf_without_version"
	// SamePlace is a second version at the place of another, or a leaf that a pending and a logged version both claim.
	SamePlace DifferenceKind = "two_versions_one_leaf"
	// NoDecision is a destroyed version whose destruction is not in the log where the inventory says so.
	NoDecision DifferenceKind = "destruction_without_leaf"
	// Twice is a version that the inventory has at two places.
	Twice DifferenceKind = "version_twice"
	// UnknownLeaf is a leaf that is neither a version's, a destruction's nor a change of keys.
	UnknownLeaf DifferenceKind = "unknown_leaf"
)

// Difference is one disagreement.
type Difference struct {
	Kind    DifferenceKind
	Index   uint64      // of the leaf; none for [NoLeaf]
	Other   uint64      // the second index, of [Twice]; [NoIndex] is a version without a leaf
	Version uuid.UUID   // zero where no version is concerned
	Leaf    ledger.Hash // zero for [Twice]
}

const (
	// DefaultGrace is how old a version may be, at the time of the checkpoint, and not be in the log yet.
	DefaultGrace = 10 * time.Minute
	// maxPending bounds what is held in memory: versions that wait, and destructions whose leaf is still to come.
	maxPending = 200_000
)

// Reconciliation compares an inventory with a log.
type Reconciliation struct {
	Policy *ledger.Policy
	Log    Log
	// Leaves is the format of the leaves that the rows own: [ledger.VersionLeafFormat], the default, or [ledger.BatchLeafFormat] where the
	// rows are the batches of an access log.
	Leaves string
	Grace  time.Duration // default [DefaultGrace]
	// Scratch is the folder for files in which the versions are sorted, 24 bytes for each and twice that for a while, where there are more than
	// 262,144; empty: the system's.
	Scratch string
	// Report is told of each difference as it is found; nil: they are only counted.
	Report func(Difference)
}

// Reconciled counts. All is well if Differences is zero.
type Reconciled struct {
	Checkpoint  ledger.Checkpoint // that all was compared with
	Leaves      uint64            // in the log, up to the size that the inventory was made for
	Later       uint64            // leaves behind them: the inventory says nothing of these
	Versions    uint64            // logged ones in the inventory, up to that size
	Matched     uint64            // versions whose leaf is in its place
	Destroyed   uint64            // of them, lawfully destroyed
	Unconfirmed uint64            // of Matched, those for which the vault had no receipt yet
	Waiting     uint64            // versions that are not in the log yet and need not be
	Newer       uint64            // versions beyond that size
	Destroying  uint64            // leaves of destructions
	Keys        uint64            // leaves of changes of keys
	Differences uint64
	ByKind      map[DifferenceKind]uint64
}

// Run takes the log's newest checkpoint, then walks the leaves and the rows side by side: every version has exactly one leaf, and every
// leaf is a version's, a destruction's or a change of keys; no version's id stands at two places. Leaves behind the size that the inventory was
// made for are read, for the root's sake, and counted. Memory grows with what waits for its receipt, up to a bound, and with nothing else: a few
// ten MiB.
//
// Differences are no error. An error means that the comparison could not be finished; [Judge] tells what it means.
func (r Reconciliation) Run(ctx context.Context, i Inventory) (Reconciled, error) {
	if r.Grace == 0 {
		r.Grace = DefaultGrace
	}
	if r.Leaves == "" {
		r.Leaves = ledger.VersionLeafFormat
	}
	m := &comparison{Reconciliation: r, pending: map[ledger.Hash]Row{}, decided: map[uint64]Row{}}
	m.places = places{parent: r.Scratch, limit: sortedAtOnce}
	m.sum.ByKind = map[DifferenceKind]uint64{}
	if i.Origin != r.Policy.Origin() {
		return m.sum, fmt.Errorf("%w: the inventory is of another log", ledger.ErrPolicy)
	}
	signed, err := r.Log.Checkpoint(ctx)
	if err != nil {
		return m.sum, err
	}
	if m.sum.Checkpoint, err = r.Policy.OpenCheckpoint(signed); err != nil {
		return m.sum, fmt.Errorf("judging the checkpoint: %w", err)
	}
	if i.Size > m.sum.Checkpoint.Size {
		return m.sum, fmt.Errorf("%w: %d leaves, and the inventory is for %d", ErrOlder, m.sum.Checkpoint.Size, i.Size)
	}
	m.size = i.Size
	var stop func()
	m.next, stop = iter.Pull2(i.Rows)
	defer stop()
	err = m.run(ctx, i.Made)
	return m.sum, errors.Join(err, m.places.close())
}

// comparison is one run.
type comparison struct {
	Reconciliation
	size    uint64 // up to which the inventory is complete
	next    func() (Row, error, bool)
	row     Row  // the next logged row that has not been compared
	more    bool // there is one
	pending map[ledger.Hash]Row
	decided map[uint64]Row // by the index of the destruction that they name
	places  places
	sum     Reconciled
}

func (m *comparison) run(ctx context.Context, made time.Time) error {
	if err := m.takePending(); err != nil {
		return err
	}
	edge := &tiles.Edge{}
	for leaf, err := range readTree(ctx, m.Log, edge, m.sum.Checkpoint) {
		if err == nil && edge.Size() <= m.size {
			err = m.compare(edge.Size()-1, leaf)
		}
		if err != nil {
			return err
		}
	}
	m.sum.Leaves, m.sum.Later = m.size, edge.Size()-m.size
	for m.more {
		m.sum.Newer++
		if err := errors.Join(m.places.add(m.row.Version, m.row.Index), m.advance()); err != nil {
			return err
		}
	}
	if err := m.judgePending(made); err != nil {
		return err
	}
	for index, row := range m.decided {
		m.differ(Difference{Kind: NoDecision, Index: index, Version: row.Version, Leaf: row.Leaf})
	}
	return m.places.twice(func(id uuid.UUID, first, second uint64) {
		m.differ(Difference{Kind: Twice, Version: id, Index: first, Other: second})
	})
}

// takePending holds the rows without a place in memory, and stops at the first one that has a place.
func (m *comparison) takePending() error {
	for {
		row, err, ok := m.next()
		switch {
		case !ok:
			return nil
		case err != nil:
			return err
		case row.Kind != Pending:
			m.row, m.more = row, true
			return nil
		case len(m.pending) == maxPending:
			return fmt.Errorf("%w: more than %d versions wait for their receipt", ledger.ErrMalformed, maxPending)
		}
		if other, twice := m.pending[row.Leaf]; twice {
			m.differ(Difference{Kind: SamePlace, Version: other.Version, Leaf: row.Leaf})
		}
		m.pending[row.Leaf] = row
	}
}

// advance takes the next logged row. Rows stand by index; two may claim one place, which is a difference and no disorder.
func (m *comparison) advance() error {
	row, err, ok := m.next()
	if err != nil {
		return err
	}
	if ok && (row.Kind == Pending || row.Index < m.row.Index) {
		return fmt.Errorf("%w: the inventory is not in order at version %s", ledger.ErrMalformed, row.Version)
	}
	m.row, m.more = row, ok
	return nil
}

// compare takes the rows that claim the place of a leaf.
func (m *comparison) compare(index uint64, leaf ledger.Leaf) error {
	hash, claims := leaf.Hash(), 0
	for m.more && m.row.Index == index {
		m.sum.Versions++
		switch claims++; {
		case claims > 1:
			m.differ(Difference{Kind: SamePlace, Index: index, Version: m.row.Version, Leaf: m.row.Leaf})
		case m.row.Leaf != hash:
			m.differ(Difference{Kind: OtherLeaf, Index: index, Version: m.row.Version, Leaf: m.row.Leaf})
		default:
			m.sum.Matched++
		}
		if err := errors.Join(m.noteDecision(), m.places.add(m.row.Version, index)); err != nil {
			return err
		}
		if err := m.advance(); err != nil {
			return err
		}
	}
	waiting, unconfirmed := m.pending[hash]
	if unconfirmed {
		delete(m.pending, hash)
		if err := m.places.add(waiting.Version, index); err != nil {
			return err
		}
	}
	switch {
	case unconfirmed && claims == 0:
		m.sum.Versions++
		m.sum.Matched++
		m.sum.Unconfirmed++
	case unconfirmed:
		m.differ(Difference{Kind: SamePlace, Index: index, Version: waiting.Version, Leaf: hash})
	}
	m.account(index, leaf, claims > 0 || unconfirmed)
	return nil
}

// noteDecision remembers that a destroyed row names a destruction, whose leaf follows its own.
func (m *comparison) noteDecision() error {
	if m.row.Kind != Destroyed {
		return nil
	}
	m.sum.Destroyed++
	_, taken := m.decided[m.row.Decided]
	switch {
	case taken || m.row.Decided <= m.row.Index:
		m.differ(Difference{Kind: NoDecision, Index: m.row.Decided, Version: m.row.Version, Leaf: m.row.Leaf})
	case len(m.decided) == maxPending:
		return fmt.Errorf("%w: more than %d destructions are still to come", ledger.ErrMalformed, maxPending)
	default:
		m.decided[m.row.Decided] = m.row
	}
	return nil
}

// account says what a leaf is there for.
func (m *comparison) account(index uint64, leaf ledger.Leaf, owned bool) {
	kind := kindOf(leaf).Format
	if row, named := m.decided[index]; named {
		delete(m.decided, index)
		if kind != ledger.DestructionLeafFormat {
			m.differ(Difference{Kind: NoDecision, Index: index, Version: row.Version, Leaf: row.Leaf})
		}
	}
	d := Difference{Index: index, Leaf: leaf.Hash()}
	switch {
	case owned && kind == m.Leaves:
	case owned: // a version claims a leaf that is no version's
		d.Kind = OtherLeaf
	case kind == m.Leaves:
		d.Kind = NoVersion
	case kind == ledger.DestructionLeafFormat && m.Leaves == ledger.VersionLeafFormat:
		m.sum.Destroying++
	case kind == ledger.KeyLeafFormat:
		m.sum.Keys++
	default:
		d.Kind = UnknownLeaf
	}
	if d.Kind != "" {
		m.differ(d)
	}
}

// judgePending tells what is new from what was lost.
func (m *comparison) judgePending(made time.Time) error {
	now := newestTime(m.sum.Checkpoint, made)
	if now.IsZero() {
		now = made
	}
	for _, row := range m.pending {
		if row.Time.Before(now.Add(-m.Grace)) {
			m.differ(Difference{Kind: NoLeaf, Version: row.Version, Leaf: row.Leaf})
		} else {
			m.sum.Waiting++
		}
		if err := m.places.add(row.Version, NoIndex); err != nil {
			return err
		}
	}
	return nil
}

func (m *comparison) differ(d Difference) {
	m.sum.Differences++
	m.sum.ByKind[d.Kind]++
	if m.Report != nil {
		m.Report(d)
	}
}
