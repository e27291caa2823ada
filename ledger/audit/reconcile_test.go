package audit_test

import (
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"iter"
	"maps"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/ledger/audit"
)

func versionID(i uint64) uuid.UUID { return uuid.NewSHA1(uuid.Nil, fmt.Append(nil, i)) }

// rowsOf lists the version leaves of a log as an honest vault would.
func rowsOf(r *rig) (rows []audit.Row) {
	for i, leaf := range r.leaves {
		if _, _, err := ledger.ParseVersionLeaf(leaf); err == nil {
			rows = append(rows, audit.Row{Kind: audit.Kept, Version: versionID(uint64(i)), Leaf: leaf.Hash(), Index: uint64(i)})
		}
	}
	return rows
}

func seq(rows []audit.Row) iter.Seq2[audit.Row, error] {
	return func(yield func(audit.Row, error) bool) {
		for _, r := range rows {
			if !yield(r, nil) {
				return
			}
		}
	}
}

// reconcile goes through the text of an inventory, as an auditor does.
func reconcile(t *testing.T, r *rig, rows []audit.Row) (audit.Reconciled, []audit.Difference, error) {
	t.Helper()
	var text bytes.Buffer
	if err := audit.WriteInventory(&text, audit.Inventory{Origin: origin, Made: start, Size: r.edge.Size(), Rows: seq(rows)}); err != nil {
		t.Fatal(err)
	}
	i, err := audit.ReadInventory(&text)
	if err != nil {
		t.Fatal(err)
	}
	var found []audit.Difference
	sum, err := audit.Reconciliation{Policy: r.policy, Log: r.client(), Report: func(d audit.Difference) { found = append(found, d) }}.Run(t.Context(), i)
	return sum, found, err
}

func TestReconcileHonest(t *testing.T) {
	r := newRig(t, 300)
	r.append(ledger.Leaf("trien/destruction/v1\nparty\nmHQKTPLVPmRC8TDQCRQqAa+9mYMzA2GOwmeqm5zv9/M=\n"))
	r.append(keyLeaf(t))
	r.publish(start)
	rows := rowsOf(r)
	rows[7].Kind, rows[7].Decided = audit.Destroyed, 300
	rows = append(rows, audit.Row{Kind: audit.Kept, Version: versionID(1000), Leaf: ledger.Hash{9}, Index: 302})
	// Two have no receipt yet: one is in the log all the same, the other was made just now.
	waiting := []audit.Row{
		{Kind: audit.Pending, Version: rows[5].Version, Leaf: rows[5].Leaf, Time: start.Add(-time.Hour)},
		{Kind: audit.Pending, Version: versionID(1001), Leaf: ledger.Hash{8}, Time: start.Add(-time.Minute)},
	}
	rows = append(waiting, slices.Delete(rows, 5, 6)...)
	sum, found, err := reconcile(t, r, rows)
	sum.Checkpoint, sum.ByKind = ledger.Checkpoint{}, nil
	want := audit.Reconciled{Leaves: 302, Versions: 300, Matched: 300, Destroyed: 1, Unconfirmed: 1, Waiting: 1, Newer: 1, Destroying: 1, Keys: 1}
	if err != nil || len(found) != 0 || fmt.Sprint(sum) != fmt.Sprint(want) {
		t.Errorf("%+v, %+v, %v", sum, found, err)
	}
}

func TestReconcileFindsDifferences(t *testing.T) {
	other := ledger.Hash{7}
	for name, test := range map[string]struct {
		log  func(r *rig)
		rows func(rows []audit.Row) []audit.Row
		want map[audit.DifferenceKind]uint64
	}{
		"a leaf without a version": {
			rows: func(rows []audit.Row) []audit.Row { return slices.Delete(rows, 100, 101) },
			want: map[audit.DifferenceKind]uint64{audit.NoVersion: 1},
		},
		"the last leaf without a version": {
			rows: func(rows []audit.Row) []audit.Row { return rows[:299] },
			want: map[audit.DifferenceKind]uint64{audit.NoVersion: 1},
		},
		"a version without a leaf": {
			rows: func(rows []audit.Row) []audit.Row {
				return append([]audit.Row{{Kind: audit.Pending, Version: versionID(999), Leaf: other, Time: start.Add(-time.Hour)}}, rows...)
			},
			want: map[audit.DifferenceKind]uint64{audit.NoLeaf: 1},
		},
		"another hash": {
			rows: func(rows []audit.Row) []audit.Row { rows[0].Leaf = other; return rows },
			want: map[audit.DifferenceKind]uint64{audit.OtherLeaf: 1},
		},
		"two hashes swapped": {
			rows: func(rows []audit.Row) []audit.Row {
				rows[10].Leaf, rows[260].Leaf = rows[260].Leaf, rows[10].Leaf
				return rows
			},
			want: map[audit.DifferenceKind]uint64{audit.OtherLeaf: 2},
		},
		"two versions at one place": {
			rows: func(rows []audit.Row) []audit.Row { return slices.Insert(rows, 5, rows[5]) },
			want: map[audit.DifferenceKind]uint64{audit.SamePlace: 1},
		},
		"a waiting version claims the leaf of another": {
			rows: func(rows []audit.Row) []audit.Row {
				return append([]audit.Row{{Kind: audit.Pending, Version: versionID(999), Leaf: rows[5].Leaf, Time: start}}, rows...)
			},
			want: map[audit.DifferenceKind]uint64{audit.SamePlace: 1},
		},
		"one leaf twice in the log": {
			log:  func(r *rig) { r.append(r.leaves[3]) },
			rows: func(rows []audit.Row) []audit.Row { return rows[:300] },
			want: map[audit.DifferenceKind]uint64{audit.NoVersion: 1},
		},
		"a smuggled leaf behind a version that is in the log already": {
			log:  func(r *rig) { r.append(testLeaf(300)) },
			rows: func(rows []audit.Row) []audit.Row { rows[300].Version = rows[5].Version; return rows },
			want: map[audit.DifferenceKind]uint64{audit.Twice: 1},
		},
		"a version at three places": {
			rows: func(rows []audit.Row) []audit.Row {
				rows[100].Version, rows[200].Version = rows[5].Version, rows[5].Version
				return rows
			},
			want: map[audit.DifferenceKind]uint64{audit.Twice: 2},
		},
		"a waiting version that is in the log": {
			rows: func(rows []audit.Row) []audit.Row {
				return append([]audit.Row{{Kind: audit.Pending, Version: rows[5].Version, Leaf: other, Time: start}}, rows...)
			},
			want: map[audit.DifferenceKind]uint64{audit.Twice: 1},
		},
		"two waiting versions of one id": {
			rows: func(rows []audit.Row) []audit.Row {
				return append([]audit.Row{
					{Kind: audit.Pending, Version: versionID(999), Leaf: other, Time: start},
					{Kind: audit.Pending, Version: versionID(999), Leaf: ledger.Hash{8}, Time: start},
				}, rows...)
			},
			want: map[audit.DifferenceKind]uint64{audit.Twice: 1},
		},
		"a waiting version and a newer one of one id": {
			rows: func(rows []audit.Row) []audit.Row {
				waiting := audit.Row{Kind: audit.Pending, Version: versionID(999), Leaf: rows[299].Leaf, Time: start}
				rows[299] = audit.Row{Kind: audit.Kept, Version: versionID(999), Leaf: other, Index: 300}
				return append([]audit.Row{waiting}, rows...)
			},
			want: map[audit.DifferenceKind]uint64{audit.Twice: 1},
		},
		"a leaf of nobody's format": {
			log:  func(r *rig) { r.append(ledger.Leaf("hidden\n")) },
			rows: func(rows []audit.Row) []audit.Row { return rows },
			want: map[audit.DifferenceKind]uint64{audit.UnknownLeaf: 1},
		},
		"destroyed by no decision": {
			rows: func(rows []audit.Row) []audit.Row {
				rows[3].Kind, rows[3].Decided = audit.Destroyed, 200
				rows[4].Kind, rows[4].Decided = audit.Destroyed, 5000
				rows[5].Kind, rows[5].Decided = audit.Destroyed, 1
				return rows
			},
			want: map[audit.DifferenceKind]uint64{audit.NoDecision: 3},
		},
		"all at once": {
			rows: func([]audit.Row) []audit.Row { return nil },
			want: map[audit.DifferenceKind]uint64{audit.NoVersion: 300},
		},
	} {
		r := newRig(t, 300)
		if test.log != nil {
			test.log(r)
			r.publish(start.Add(time.Second))
		}
		sum, found, err := reconcile(t, r, test.rows(rowsOf(r)))
		total := uint64(0)
		for _, n := range test.want {
			total += n
		}
		if err != nil || !maps.Equal(sum.ByKind, test.want) || sum.Differences != total || len(found) != int(total) {
			t.Errorf("%s: %+v %v", name, sum, err)
		}
	}
}

// Both places of a version are told.
func TestReconcileTellsBothPlaces(t *testing.T) {
	r := newRig(t, 300)
	rows := rowsOf(r)
	rows[270].Version = rows[5].Version
	rows = append([]audit.Row{{Kind: audit.Pending, Version: rows[6].Version, Leaf: ledger.Hash{7}, Time: start}}, rows...)
	_, found, err := reconcile(t, r, rows)
	slices.SortFunc(found, func(a, b audit.Difference) int { return cmp.Compare(a.Index, b.Index) })
	want := []audit.Difference{
		{Kind: audit.Twice, Version: versionID(5), Index: 5, Other: 270}, {Kind: audit.Twice, Version: versionID(6), Index: 6, Other: audit.NoIndex},
	}
	if err != nil || !slices.Equal(found, want) {
		t.Errorf("%+v, %v", found, err)
	}
}

// A list is compared with the part of the log for which it was made.
func TestReconcileOlderInventory(t *testing.T) {
	r := newRig(t, 300)
	rows, size := rowsOf(r), r.edge.Size()
	r.grow(50, start.Add(time.Second))
	i := audit.Inventory{Origin: origin, Made: start, Size: size, Rows: seq(rows)}
	sum, err := audit.Reconciliation{Policy: r.policy, Log: r.client()}.Run(t.Context(), i)
	if err != nil || sum.Differences != 0 || sum.Leaves != 300 || sum.Later != 50 {
		t.Errorf("%+v, %v", sum, err)
	}
	i.Size, i.Rows = 351, seq(rows)
	if _, err := (audit.Reconciliation{Policy: r.policy, Log: r.client()}).Run(t.Context(), i); !errors.Is(err, audit.ErrOlder) {
		t.Errorf("a list for a larger log: %v", err)
	}
}

func TestReconcileStops(t *testing.T) {
	r := newRig(t, 300)
	rows := rowsOf(r)
	if _, _, err := reconcile(t, r, slices.Concat(rows[:5], rows[3:])); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("out of order: %v", err)
	}
	if _, _, err := reconcile(t, r, append(slices.Clone(rows), audit.Row{Kind: audit.Pending, Version: versionID(1)})); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a pending row at the end: %v", err)
	}
	good := r.read("tile/entries/000")
	r.write("tile/entries/000", flipped(good))
	if _, _, err := reconcile(t, r, rows); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a changed log: %v", err)
	}
	r.write("tile/entries/000", good)
	i := audit.Inventory{Origin: "another/log", Rows: seq(rows)}
	if _, err := (audit.Reconciliation{Policy: r.policy, Log: r.client()}).Run(t.Context(), i); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("another log: %v", err)
	}
	gone := errors.New("database gone")
	i = audit.Inventory{Origin: origin, Rows: func(yield func(audit.Row, error) bool) { yield(audit.Row{}, gone) }}
	if _, err := (audit.Reconciliation{Policy: r.policy, Log: r.client()}).Run(t.Context(), i); !errors.Is(err, gone) {
		t.Errorf("no rows: %v", err)
	}
}

func FuzzReadInventory(f *testing.F) {
	r := newRig(f, 3)
	rows := append([]audit.Row{{Kind: audit.Pending, Version: versionID(9), Leaf: ledger.Hash{1}, Time: start}}, rowsOf(r)...)
	rows[2].Kind, rows[2].Decided = audit.Destroyed, 7
	var text bytes.Buffer
	if err := audit.WriteInventory(&text, audit.Inventory{Origin: origin, Made: start, Rows: seq(rows)}); err != nil {
		f.Fatal(err)
	}
	f.Add(text.String())
	f.Add(strings.TrimSuffix(text.String(), "end 4\n"))
	f.Add(text.String() + "end 4\n")
	f.Fuzz(func(t *testing.T, text string) {
		i, err := audit.ReadInventory(strings.NewReader(text))
		var rows []audit.Row
		if err == nil {
			for row, bad := range i.Rows {
				if err = bad; err != nil {
					break
				}
				rows = append(rows, row)
			}
		}
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		var again bytes.Buffer
		i.Rows = seq(rows)
		if err := audit.WriteInventory(&again, i); err != nil || again.String() != text {
			t.Fatalf("another form of\n%q\n%q", text, again.String())
		}
	})
}
