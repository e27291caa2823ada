package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"regexp"
	"testing"

	"filippo.io/torchwood"
	"github.com/transparency-dev/merkle/proof"
	"golang.org/x/mod/sumdb/tlog"

	"trien/ledger"
)

func TestVerify(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.policy))
	c := must[ledger.Checkpoint](t)(ledger.Verify(p, s.leaf, s.receipt))
	if c.Origin != sampleOrigin || c.Size != 7 || len(c.Witnessed) != 0 {
		t.Errorf("checkpoint %+v", c)
	}
	theirs, err := torchwood.ParsePolicy(s.policy)
	if err != nil {
		t.Fatal(err)
	}
	if err := torchwood.VerifyProof(theirs, tlog.RecordHash(s.leaf), s.text); err != nil {
		t.Errorf("others do not accept it: %v", err)
	}
	witnessed := s.receipt
	witnessed.Checkpoint = s.witnessed
	p = must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	if c := must[ledger.Checkpoint](t)(ledger.Verify(p, s.leaf, witnessed)); len(c.Witnessed) != 2 {
		t.Errorf("checkpoint %+v", c)
	}
}

func TestVerifyRefuses(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.policy))
	edit := func(change func(*ledger.Receipt)) ledger.Receipt {
		r := s.receipt
		r.Proof = append([]ledger.Hash(nil), r.Proof...)
		r.Checkpoint = bytes.Clone(r.Checkpoint)
		change(&r)
		return r
	}
	tests := []struct {
		name    string
		policy  *ledger.Policy
		leaf    ledger.Leaf
		receipt ledger.Receipt
		want    error
	}{
		{"no policy", nil, s.leaf, s.receipt, ledger.ErrPolicy},
		{"zero policy", &ledger.Policy{}, s.leaf, s.receipt, ledger.ErrPolicy},
		{"no leaf", p, nil, s.receipt, ledger.ErrMalformed},
		{"huge leaf", p, make([]byte, ledger.MaxLeaf+1), s.receipt, ledger.ErrMalformed},
		{"another leaf", p, append(bytes.Clone(s.leaf), '\n'), s.receipt, ledger.ErrTampered},
		{"no receipt", p, s.leaf, ledger.Receipt{}, ledger.ErrMalformed},
		{"another index", p, s.leaf, edit(func(r *ledger.Receipt) { r.Index = 4 }), ledger.ErrTampered},
		{"index beyond", p, s.leaf, edit(func(r *ledger.Receipt) { r.Index = 7 }), ledger.ErrTampered},
		{"impossible index", p, s.leaf, edit(func(r *ledger.Receipt) { r.Index = 1 << 63 }), ledger.ErrMalformed},
		{"shorter path", p, s.leaf, edit(func(r *ledger.Receipt) { r.Proof = r.Proof[1:] }), ledger.ErrTampered},
		{"longer path", p, s.leaf, edit(func(r *ledger.Receipt) { r.Proof = append(r.Proof, ledger.Hash{}) }), ledger.ErrTampered},
		{"swapped path", p, s.leaf, edit(func(r *ledger.Receipt) { r.Proof[0], r.Proof[1] = r.Proof[1], r.Proof[0] }), ledger.ErrTampered},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			if _, err := ledger.Verify(tt.policy, tt.leaf, tt.receipt); !errors.Is(err, tt.want) {
				t.Errorf("err %v, want %v", err, tt.want)
			}
		})
	}
}

// Every bit of receipt, policy, manifest and leaf counts.
func TestVerifyEveryBit(t *testing.T) {
	s := newSample(t)
	judge := func(policy, manifest, receipt []byte) error {
		p, err := ledger.ParsePolicy(policy)
		if err != nil {
			return err
		}
		m, err := ledger.ParseManifest(manifest)
		if err != nil {
			return err
		}
		r, err := ledger.ParseReceipt(receipt)
		if err != nil {
			return err
		}
		_, err = ledger.Verify(p, ledger.VersionLeaf(m.Register, s.salt, manifest), r)
		return err
	}
	witnessed := s.receipt
	witnessed.Checkpoint = s.witnessed
	timed := s.receipt
	timed.Checkpoint = s.timed
	// Where a witness listens is no part of the judgement; everything else in a policy is.
	rotated := regexp.MustCompile(` http\S+`).ReplaceAll(s.rotated, nil)
	sets := map[string][3][]byte{
		"timed":     {rotated, s.manifest, must[[]byte](t)(timed.MarshalText())},
		"plain":     {s.policy, s.manifest, s.text},
		"witnessed": {s.witnesses, s.manifest, must[[]byte](t)(witnessed.MarshalText())},
	}
	// The others are many signatures long: two bits of each of their bytes.
	bits := map[string][]int{"plain": {0, 1, 2, 3, 4, 5, 6, 7}, "witnessed": {0, 5}, "timed": {1, 4}}
	for name, set := range sets {
		if err := judge(set[0], set[1], set[2]); err != nil {
			t.Fatalf("%s: %v", name, err)
		}
		for part, text := range set {
			for i := range text {
				for _, bit := range bits[name] {
					changed := set
					changed[part] = bytes.Clone(text)
					changed[part][i] ^= 1 << bit
					if err := judge(changed[0], changed[1], changed[2]); err == nil {
						t.Errorf("%s: part %d, byte %d, bit %d: still accepted", name, part, i, bit)
					}
				}
				// A byte lost and a byte doubled.
				changed := set
				changed[part] = append(bytes.Clone(text[:i]), text[i+1:]...)
				if judge(changed[0], changed[1], changed[2]) == nil {
					t.Errorf("%s: part %d without byte %d: still accepted", name, part, i)
				}
				changed[part] = append(bytes.Clone(text[:i+1]), text[i:]...)
				if judge(changed[0], changed[1], changed[2]) == nil {
					t.Errorf("%s: part %d with byte %d twice: still accepted", name, part, i)
				}
			}
		}
	}
}

func TestVerifyEveryLeafOfEveryTree(t *testing.T) {
	signer, vkey := sampleSigner(t)
	p := must[*ledger.Policy](t)(ledger.NewPolicy(vkey))
	var leaves []ledger.Leaf
	for n := uint64(1); n <= 33; n++ {
		leaves = append(leaves, ledger.Leaf(fmt.Sprintf("leaf %d", n)))
		tr := newTree(t, leaves...)
		checkpoint := must[[]byte](t)(ledger.SignCheckpoint(signer, n, tr.root(t)))
		for i := range n {
			r := ledger.Receipt{Index: i, Proof: tr.inclusion(t, i, n), Checkpoint: checkpoint}
			if _, err := ledger.Verify(p, leaves[i], r); err != nil {
				t.Fatalf("leaf %d of %d: %v", i, n, err)
			}
			for j := range n {
				if r.Index = j; j != i {
					if _, err := ledger.Verify(p, leaves[i], r); !errors.Is(err, ledger.ErrTampered) {
						t.Fatalf("leaf %d of %d passes as leaf %d: %v", i, n, j, err)
					}
				}
			}
		}
	}
}

func TestCheckConsistency(t *testing.T) {
	var leaves []ledger.Leaf
	for n := range 9 {
		leaves = append(leaves, ledger.Leaf(fmt.Sprintf("leaf %d", n)))
	}
	head := func(leaves []ledger.Leaf) ledger.Checkpoint {
		return ledger.Checkpoint{Origin: sampleOrigin, Size: uint64(len(leaves)), Root: newTree(t, leaves...).root(t)}
	}
	full := newTree(t, leaves...)
	newer := head(leaves)
	path := full.path(t, must[proof.Nodes](t)(proof.Consistency(5, 9)))
	if err := ledger.CheckConsistency(head(leaves[:5]), newer, path); err != nil {
		t.Error(err)
	}
	if err := ledger.CheckConsistency(newer, newer, nil); err != nil {
		t.Error(err)
	}
	other := append([]ledger.Leaf{ledger.Leaf("forged")}, leaves[1:]...)
	foreign := head(leaves[:5])
	foreign.Origin = "vault.example/other"
	for name, err := range map[string]error{
		"other history":   ledger.CheckConsistency(head(other[:5]), newer, path),
		"same size":       ledger.CheckConsistency(head(other), newer, nil),
		"rolled back":     ledger.CheckConsistency(newer, head(leaves[:5]), path),
		"no proof":        ledger.CheckConsistency(head(leaves[:5]), newer, nil),
		"another log":     ledger.CheckConsistency(foreign, newer, path),
		"proof too long":  ledger.CheckConsistency(head(leaves[:5]), newer, append(path, ledger.Hash{})),
		"proof for equal": ledger.CheckConsistency(newer, newer, path),
	} {
		if !errors.Is(err, ledger.ErrForked) {
			t.Errorf("%s: err %v", name, err)
		}
	}
}

func FuzzVerify(f *testing.F) {
	s := newSample(f)
	witnessed := s.receipt
	witnessed.Checkpoint = s.witnessed
	f.Add(s.policy, []byte(s.leaf), s.text)
	f.Add(s.witnesses, []byte(s.leaf), must[[]byte](f)(witnessed.MarshalText()))
	f.Add(s.policy, []byte("x"), s.text)
	f.Fuzz(func(t *testing.T, policy, leaf, text []byte) {
		p, err := ledger.ParsePolicy(policy)
		if err != nil {
			return
		}
		r, err := ledger.ParseReceipt(text)
		if err != nil {
			return
		}
		if _, err := ledger.Verify(p, leaf, r); err != nil {
			if !errors.Is(err, ledger.ErrMalformed) && !errors.Is(err, ledger.ErrTampered) && !errors.Is(err, ledger.ErrPolicy) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if len(p.LogKeys()) > 1 {
			return // torchwood v0.9.0 asks for a signature of every log of a policy, where the specification asks for one
		}
		theirs, err := torchwood.ParsePolicy(policy)
		if err != nil {
			t.Fatal(err)
		}
		if err := torchwood.VerifyProof(theirs, tlog.RecordHash(leaf), text); err != nil {
			t.Fatalf("we accept what others refuse: %v", err)
		}
	})
}

func BenchmarkVerify(b *testing.B) {
	s := newSample(b)
	p := must[*ledger.Policy](b)(ledger.ParsePolicy(s.policy))
	for b.Loop() {
		if _, err := ledger.Verify(p, s.leaf, s.receipt); err != nil {
			b.Fatal(err)
		}
	}
}
