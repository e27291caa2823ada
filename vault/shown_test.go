package vault_test

import (
	"context"
	"errors"
	"fmt"
	"sync/atomic"
	"testing"
	"time"

	"trien/ledger"
	"trien/vault"
	"trien/vault/vaulttest"
)

// witnessedLog is a log whose policy asks for a witness, which may be away.
type witnessedLog struct {
	*vaulttest.MemoryLog
	policy  *ledger.Policy
	witness *ledger.Cosigner
	away    atomic.Bool
}

func newWitnessedLog(t *testing.T) *witnessedLog {
	t.Helper()
	l := &witnessedLog{MemoryLog: vaulttest.NewLog()}
	key, err := ledger.GenerateSigningKey("witness.example/w")
	if err != nil {
		t.Fatal(err)
	}
	if l.witness, err = ledger.NewCosigner(key.Signer()); err != nil {
		t.Fatal(err)
	}
	text := fmt.Sprintf("log %s\nwitness w %s\nquorum w\n", l.MemoryLog.Policy().LogKeys()[0], l.witness.VerifierKey())
	if l.policy, err = ledger.ParsePolicy([]byte(text)); err != nil {
		t.Fatal(err)
	}
	return l
}

func (l *witnessedLog) Policy() *ledger.Policy { return l.policy }

func (l *witnessedLog) WitnessedReceipt(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	if l.away.Load() {
		return ledger.Receipt{}, fmt.Errorf("%w: the witness is away", ledger.ErrNotLogged)
	}
	r, err := l.Await(ctx, e)
	if err != nil {
		return r, err
	}
	c, err := l.policy.OpenUnwitnessed(r.Checkpoint)
	if err != nil {
		return r, err
	}
	line, err := l.witness.Cosign(c.NoteText(), time.Now())
	if err == nil {
		r.Checkpoint, err = ledger.AddCosignatures(l.policy, r.Checkpoint, line)
	}
	return r, err
}

// While witnesses are away documents are deposited and have their receipts, and nothing leaves the vault; when they are back what
// leaves carries their signatures.
func TestWhatLeavesIsWitnessed(t *testing.T) {
	l := newWitnessedLog(t)
	l.away.Store(true)
	r := newRig(t, func(c *vault.Config) { c.Log, c.Limits.ReceiptWait = l, 500*time.Millisecond })
	defer r.work()()
	d := r.dossier()
	v := r.deposit(cv(d), samplePDF())
	p, err := r.Receipt(t.Context(), r.staff, v.ID, true)
	if err != nil {
		t.Fatal(err)
	}
	leaf := ledger.VersionLeaf(string(d.Register), p.Salt, p.Manifest)
	receipt, err := ledger.ParseReceipt(p.Receipt)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.VerifyUnwitnessed(l.policy, leaf, receipt); err != nil {
		t.Fatal(err)
	}
	export := vault.NewExport{Signer: r.signer.Account, Purpose: "thử"}
	if _, _, err := r.ExportDossier(t.Context(), r.staff, d.ID, export); !errors.Is(err, vault.ErrNotWitnessed) {
		t.Errorf("an export without witnesses: %v", err)
	}
	l.away.Store(false)
	if p, err = r.Receipt(t.Context(), r.staff, v.ID, true); err == nil {
		receipt, err = ledger.ParseReceipt(p.Receipt)
	}
	if err == nil {
		_, err = ledger.Verify(l.policy, leaf, receipt)
	}
	if err != nil {
		t.Errorf("a receipt with witnesses: %v", err)
	}
	if _, _, err := r.ExportDossier(t.Context(), r.staff, d.ID, export); err != nil {
		t.Errorf("an export with witnesses: %v", err)
	}
}
