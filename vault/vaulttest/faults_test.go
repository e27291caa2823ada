package vaulttest_test

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
	"trien/vault"
	"trien/vault/vaulttest"
)

// A wrapper without faults is the port it wraps.
func TestFaultsPassOn(t *testing.T) {
	vaulttest.Store(t, func(*testing.T) vault.Store { return new(vaulttest.Faults).Store(vaulttest.NewMemoryStore()) })
	vaulttest.Log(t, func(*testing.T) vault.Log { return new(vaulttest.Faults).Log(vaulttest.NewLog()) })
}

func newUnit(name string) (vault.Unit, vault.Event) {
	return vault.Unit{ID: vault.UnitID{UUID: uuid.New()}, Name: name},
		vault.Event{ID: vault.EventID{UUID: uuid.New()}, Time: time.Now(), Action: vault.ManageAccess, Outcome: vault.Done}
}

func TestFaults(t *testing.T) {
	ctx := t.Context()
	for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
		t.Run(when.String(), func(t *testing.T) {
			var faults vaulttest.Faults
			memory := vaulttest.NewMemoryStore()
			store := faults.Store(memory)
			add := func(name string) error {
				u, e := newUnit(name)
				return store.AddUnit(ctx, u, e)
			}
			if err := add("first"); err != nil {
				t.Fatal(err)
			}
			own := errors.New("own")
			faults.Add(vaulttest.Fault{Method: "Store.AddUnit", Call: 2, When: when}, vaulttest.Fault{Method: "Store.AddUnit", Call: 3, When: when, Err: own})
			if err := add("second"); err != nil {
				t.Fatal(err)
			}
			if err := add("third"); !errors.Is(err, vault.ErrUnavailable) {
				t.Errorf("the second call since: %v, want ErrUnavailable", err)
			}
			if err := add("fourth"); !errors.Is(err, own) || len(faults.Left()) != 0 {
				t.Errorf("the third call since: %v, want %v; left %v", err, own, faults.Left())
			}
			if err := add("fifth"); err != nil {
				t.Error(err)
			}
			units, err := memory.Units(ctx)
			if err != nil {
				t.Fatal(err)
			}
			want := map[vaulttest.When]int{vaulttest.Before: 3, vaulttest.After: 5}[when]
			if len(units) != want {
				t.Errorf("%d units stand, want %d", len(units), want)
			}
			if trace := faults.Trace(); len(trace) != 5 || trace[4] != (vaulttest.Call{Method: "Store.AddUnit", Number: 5}) {
				t.Errorf("trace %v", trace)
			}
		})
	}
}

// A call that fails by itself has no effect that a fault could come after.
func TestFaultAfterFailure(t *testing.T) {
	var faults vaulttest.Faults
	store := faults.Store(vaulttest.NewMemoryStore())
	faults.Add(vaulttest.Fault{Method: "Store.Unit", Call: 1, When: vaulttest.After})
	if _, err := store.Unit(t.Context(), vault.UnitID{}); !errors.Is(err, vault.ErrNotFound) || len(faults.Left()) != 1 {
		t.Errorf("%v, left %v", err, faults.Left())
	}
}

func TestFaultDown(t *testing.T) {
	ctx := t.Context()
	var faults vaulttest.Faults
	memory := vaulttest.NewMemoryStore()
	store, log := faults.Store(memory), faults.Log(vaulttest.NewLog())
	faults.Add(vaulttest.Fault{Method: "Store.AddUnit", Call: 1, When: vaulttest.After, Down: true})
	u, e := newUnit("unit")
	for what, err := range map[string]error{
		"the call that goes down": store.AddUnit(ctx, u, e),
		"a later call":            store.Ready(ctx),
		"another port":            log.Append(ctx, nil),
	} {
		if !errors.Is(err, vault.ErrUnavailable) {
			t.Errorf("%s: %v, want ErrUnavailable", what, err)
		}
	}
	faults.Up()
	if got, err := store.Unit(ctx, u.ID); err != nil || got != u {
		t.Errorf("the unit after it came up: %v, %v", got, err)
	}
}

func TestFaultHook(t *testing.T) {
	ctx := t.Context()
	var faults vaulttest.Faults
	memory := vaulttest.NewLog()
	log := faults.Log(memory)
	var seen []string
	note := func(when vaulttest.When) vaulttest.Fault {
		return vaulttest.Fault{Method: "Log.Append", Call: 1, When: when, Hook: func() {
			seen = append(seen, fmt.Sprint(when, " ", memory.Size()))
		}}
	}
	faults.Add(note(vaulttest.Before), note(vaulttest.After))
	e := ledger.Entry{Identity: ledger.VersionIdentity(uuid.New()), Leaf: ledger.Leaf("leaf")}
	if err := log.Append(ctx, []ledger.Entry{e}); err != nil {
		t.Fatal(err)
	}
	if want := []string{"before 0", "after 1"}; !slices.Equal(seen, want) {
		t.Errorf("hooks saw %q, want %q", seen, want)
	}
}

// Calls with and without results fail on both sides.
func TestFaultsBothSides(t *testing.T) {
	ctx := context.Background()
	var faults vaulttest.Faults
	log := faults.Log(vaulttest.NewLog())
	calls := map[string]func() error{
		"Log.Append":      func() error { return log.Append(ctx, nil) },
		"Log.Checkpoint":  func() error { _, err := log.Checkpoint(ctx); return err },
		"Log.Consistency": func() error { _, err := log.Consistency(ctx, 0, 0); return err },
		"Log.Ready":       func() error { return log.Ready(ctx) },
	}
	store := faults.Store(vaulttest.NewMemoryStore())
	calls["Store.Units"] = func() error { _, err := store.Units(ctx); return err }
	calls["Store.PendingEntries"] = func() error { _, _, err := store.PendingEntries(ctx); return err }
	calls["Store.Known"] = func() error { _, err := store.Known(ctx, nil); return err }
	calls["Store.Ready"] = func() error { return store.Ready(ctx) }
	for method, call := range calls {
		for _, when := range []vaulttest.When{vaulttest.Before, vaulttest.After} {
			faults.Add(vaulttest.Fault{Method: method, Call: 1, When: when})
			if err := call(); !errors.Is(err, vault.ErrUnavailable) {
				t.Errorf("%s %s: %v", method, when, err)
			}
			if err := call(); err != nil {
				t.Errorf("%s after the fault: %v", method, err)
			}
		}
	}
}
