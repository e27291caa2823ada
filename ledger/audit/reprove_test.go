package audit_test

import (
	"errors"
	"testing"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
	"trien/ledger/tiles"
)

// receipt is what the log gave out for a leaf at its present size.
func (r *rig) receipt(index uint64) ledger.Receipt {
	r.t.Helper()
	n := r.edge.Size()
	path, err := tiles.NewReader(r.client(), 0).At(n).Inclusion(r.t.Context(), index, n)
	if err != nil {
		r.t.Fatal(err)
	}
	return ledger.Receipt{Index: index, Proof: path, Checkpoint: r.read("checkpoint")}
}

func TestReprove(t *testing.T) {
	r := newRig(t, 300)
	receipts := []ledger.Receipt{r.receipt(0), r.receipt(255), r.receipt(299)}
	for _, more := range []uint64{0, 1, 300} {
		r.grow(more, start.Add(time.Duration(more)*time.Second))
		for _, receipt := range receipts {
			newest, err := audit.Reprove(t.Context(), r.policy, r.client(), receipt, start)
			if err != nil || newest.Size != r.edge.Size() {
				t.Errorf("leaf %d in %d: %+v, %v", receipt.Index, r.edge.Size(), newest, err)
			}
		}
	}
	bundle := r.read("tile/entries/000")
	bundle[10] ^= 1 // in leaf 0
	r.write("tile/entries/000", bundle)
	if _, err := audit.Reprove(t.Context(), r.policy, r.client(), receipts[0], start); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a changed leaf: %v", err)
	}
	seen, shown := split(t, 290, 300, 600)
	if _, err := audit.Reprove(t.Context(), seen.policy, shown.client(), seen.receipt(295), start); !errors.Is(err, ledger.ErrForked) {
		t.Errorf("a receipt of another history: %v", err)
	}
	small := r.again(200)
	small.publish(time.Time{})
	if _, err := audit.Reprove(t.Context(), r.policy, small.client(), receipts[2], start); err == nil {
		t.Error("a log that shows less")
	}
}
