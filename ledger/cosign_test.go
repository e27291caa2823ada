package ledger_test

import (
	"errors"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

func TestCosigner(t *testing.T) {
	s := newSample(t)
	signer, _ := signerOf(t, "witness.example/w1", "w1")
	_, vkey, _ := seedKey("witness.example/w1", 4, "w1")
	c := must[*ledger.Cosigner](t)(ledger.NewCosigner(signer))
	if c.Name() != "witness.example/w1" || c.VerifierKey() != vkey {
		t.Errorf("%s, %s", c.Name(), c.VerifierKey())
	}
	text := must[ledger.Checkpoint](t)(must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses)).OpenCheckpoint(s.witnessed)).NoteText()
	line := must[string](t)(c.Cosign(text, time.Unix(1795426216, 5)))
	if line != cosign("witness.example/w1", "w1", 1795426216, text) {
		t.Errorf("line %s", line)
	}
	// Others read it as a signature of that note.
	v := must[*torchwood.CosignatureVerifier](t)(torchwood.NewCosignatureVerifier(c.VerifierKey()))
	if n, err := note.Open([]byte(text+"\n"+line), note.VerifierList(v)); err != nil || len(n.Sigs) != 1 {
		t.Errorf("others: %v", err)
	}

	w := ledger.Witness{Name: "w1", VerifierKey: vkey}
	if at, err := w.OpenCosignature(text, line); err != nil || at.Unix() != 1795426216 {
		t.Errorf("%s, %v", at, err)
	}
	for name, test := range map[string]struct {
		witness    ledger.Witness
		text, line string
		want       error
	}{
		"another text":         {w, strings.Replace(text, "\n7\n", "\n8\n", 1), line, ledger.ErrTampered},
		"another witness":      {w, text, cosign("witness.example/w2", "w2", 1795426216, text), ledger.ErrPolicy},
		"two lines":            {w, text, line + line, ledger.ErrMalformed},
		"no newline":           {w, text, strings.TrimSuffix(line, "\n"), ledger.ErrMalformed},
		"a witness of no kind": {ledger.Witness{Name: "w1", VerifierKey: signer.VerifierKey()}, text, line, ledger.ErrMalformed},
		"no witness":           {ledger.Witness{}, text, line, ledger.ErrMalformed},
	} {
		if _, err := test.witness.OpenCosignature(test.text, test.line); !errors.Is(err, test.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
	if _, err := c.Cosign(text, time.Unix(-1, 0)); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("before 1970: %v", err)
	}
	if _, err := ledger.NewCosigner(twoFaced{signer, vkey}); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a vkey of type 04: %v", err)
	}
	other, _ := signerOf(t, "witness.example/w1", "w2")
	wrong := must[*ledger.Cosigner](t)(ledger.NewCosigner(twoFaced{other, signer.VerifierKey()}))
	if _, err := wrong.Cosign(text, time.Unix(1, 0)); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a key that is not the vkey's: %v", err)
	}
}
