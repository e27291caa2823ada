package ledger_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"testing"
	"time"

	"filippo.io/torchwood"
	formats "github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

func TestSignTime(t *testing.T) {
	s := newSample(t)
	signer, vkey := sampleSigner(t)
	at := time.Date(2026, 11, 25, 8, 0, 0, 0, time.UTC)
	plain := s.receipt.Checkpoint
	timed := must[[]byte](t)(ledger.SignTime(signer, plain, at.Add(999*time.Millisecond)))
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.policy))
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(timed)); !c.Time.Equal(at) || c.Key != vkey || len(c.Witnessed) != 0 || c.Size != 7 {
		t.Errorf("checkpoint %+v", c)
	}
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(plain)); !c.Time.IsZero() || c.Key != vkey {
		t.Errorf("checkpoint without a time line %+v", c)
	}
	later := must[[]byte](t)(ledger.SignTime(signer, timed, at.Add(time.Minute)))
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(later)); !c.Time.Equal(at.Add(time.Minute)) {
		t.Errorf("replaced time line: %+v", c)
	}
	// Replaced under the witnesses' lines, which stay.
	p = must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	later = must[[]byte](t)(ledger.SignTime(signer, s.timed, at))
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(later)); !c.Time.Equal(at) || len(c.Witnessed) != 2 {
		t.Errorf("witnessed: %+v", c)
	}
	if first := must[[]byte](t)(ledger.SignTime(signer, plain, time.Unix(0, 0))); !bytes.HasPrefix(first, plain) {
		t.Errorf("the first second:\n%s", first)
	}
}

func TestSignTimeRefuses(t *testing.T) {
	s := newSample(t)
	signer, _ := sampleSigner(t)
	stranger, strange := signerOf(t, sampleOrigin, "not the log")
	elsewhere, _ := signerOf(t, "vault.example/access", "sample log")
	_, witness, _ := seedKey(sampleOrigin, 4, "sample log")
	forged := bytes.Replace(s.receipt.Checkpoint, []byte("\n7\n"), []byte("\n8\n"), 1)
	now := time.Unix(1795426215, 0)
	for name, test := range map[string]struct {
		signer ledger.Signer
		signed []byte
		at     time.Time
		want   error
	}{
		"another key":         {stranger, s.receipt.Checkpoint, now, ledger.ErrPolicy},
		"another log":         {elsewhere, s.receipt.Checkpoint, now, ledger.ErrPolicy},
		"another vkey":        {twoFaced{signer, strange}, s.receipt.Checkpoint, now, ledger.ErrPolicy},
		"another signature":   {twoFaced{stranger, signer.VerifierKey()}, s.receipt.Checkpoint, now, ledger.ErrTampered},
		"a witness's vkey":    {twoFaced{signer, witness}, s.receipt.Checkpoint, now, ledger.ErrMalformed},
		"no vkey":             {twoFaced{signer, ""}, s.receipt.Checkpoint, now, ledger.ErrMalformed},
		"changed checkpoint":  {signer, forged, now, ledger.ErrTampered},
		"not a checkpoint":    {signer, s.policy, now, ledger.ErrMalformed},
		"before 1970":         {signer, s.receipt.Checkpoint, time.Unix(-1, 0), ledger.ErrMalformed},
		"a checkpoint of two": {signer, slices.Concat(s.receipt.Checkpoint, s.receipt.Checkpoint), now, ledger.ErrMalformed},
	} {
		t.Run(name, func(t *testing.T) {
			if _, err := ledger.SignTime(test.signer, test.signed, test.at); !errors.Is(err, test.want) {
				t.Errorf("err %v, want %v", err, test.want)
			}
		})
	}
}

type twoFaced struct {
	note.Signer
	vkey string
}

func (f twoFaced) VerifierKey() string { return f.vkey }

func TestOriginOfATimeLineIsRefused(t *testing.T) {
	signer, _ := signerOf(t, "vault.example/records", "sample log")
	if _, err := ledger.SignCheckpoint(renamed{signer, "cosignature/v1"}, 0, ledger.EmptyRoot()); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("err %v", err)
	}
}

type renamed struct {
	note.Signer
	name string
}

func (r renamed) Name() string { return r.name }

// A checkpoint with a time line and co-signatures is read by other people's code, which passes over the line it does not know.
func TestTimedCheckpointIsReadByOthers(t *testing.T) {
	s := newSample(t)
	ours := must[ledger.Checkpoint](t)(must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses)).OpenCheckpoint(s.timed))
	policy, err := torchwood.ParsePolicy(s.witnesses)
	if err != nil {
		t.Fatal(err)
	}
	theirs, sigs, err := torchwood.VerifyCheckpoint(s.timed, policy)
	if err != nil || theirs.N != 7 || theirs.Hash != [32]byte(ours.Root) || len(sigs.Sigs) != 3 {
		t.Errorf("torchwood: %+v %+v %v", theirs, sigs, err)
	}

	_, vkey := sampleSigner(t)
	_, clock, _ := seedKey(sampleOrigin, 4, "sample log")
	_, w1, _ := seedKey("witness.example/w1", 4, "w1")
	logVerifier := must[note.Verifier](t)(note.NewVerifier(vkey))
	clockVerifier := must[*torchwood.CosignatureVerifier](t)(torchwood.NewCosignatureVerifier(clock))
	c, _, n, err := formats.ParseCheckpoint(s.timed, sampleOrigin, logVerifier, must[*torchwood.CosignatureVerifier](t)(torchwood.NewCosignatureVerifier(w1)))
	if err != nil || c.Size != 7 || !bytes.Equal(c.Hash, ours.Root[:]) || len(n.Sigs) != 2 || len(n.UnverifiedSigs) != 2 {
		t.Errorf("formats: %+v, %+v (%v)", c, n, err)
	}
	// Whoever knows that a log speaks of time can read the line as what it is: a co-signature of the log.
	_, _, n, err = formats.ParseCheckpoint(s.timed, sampleOrigin, logVerifier, clockVerifier)
	if err != nil || len(n.Sigs) != 2 || n.Sigs[1].Name != sampleOrigin {
		t.Fatalf("formats: %+v (%v)", n, err)
	}
	if at, err := torchwood.CosignatureTimestamp(n.Sigs[1]); err != nil || at != ours.Time.Unix() {
		t.Errorf("their time %d, ours %s (%v)", at, ours.Time, err)
	}
}

func TestOpenCheckpointOfAnOlderKey(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.rotated))
	old, vkey := signerOf(t, sampleOrigin, "older log")
	c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(s.timed))
	signed := must[[]byte](t)(ledger.SignCheckpoint(old, c.Size, c.Root))
	if opened := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(signed)); opened.Key != vkey || opened.Root != c.Root {
		t.Errorf("checkpoint %+v", opened)
	}
	timed := must[[]byte](t)(ledger.SignTime(old, signed, time.Unix(1795426215, 0)))
	if opened := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(timed)); opened.Key != vkey || opened.Time.Unix() != 1795426215 {
		t.Errorf("checkpoint %+v", opened)
	}
	// The older key's time line under the current key's signature is not the signer's time.
	lines := strings.SplitAfter(string(timed), "\n")
	mixed := append(bytes.Clone(s.receipt.Checkpoint), lines[5]...)
	if _, err := p.OpenUnwitnessed(mixed); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("time line of another key: %v", err)
	}
	// The older key hands over to the newer one, never the other way round.
	both := append(bytes.Clone(s.receipt.Checkpoint), lines[4]...)
	if opened, err := p.OpenUnwitnessed(both); err != nil || opened.Key == vkey {
		t.Errorf("signatures of two keys: %+v, %v", opened, err)
	}
	back := append(bytes.Clone(signed), bytes.SplitAfter(s.receipt.Checkpoint, []byte("\n"))[4]...)
	if _, err := p.OpenUnwitnessed(back); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("signatures of two keys, the older one's first: %v", err)
	}
	// Without that key in the policy nothing of it is believed.
	p = must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	if _, err := p.OpenUnwitnessed(signed); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("key that left the policy: %v", err)
	}
}

func TestOpenUnwitnessed(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	text, own := string(s.timed), strings.SplitAfter(string(s.timed), "\n")[:6]
	head, line, clock := strings.Join(own[:4], ""), own[4], own[5]
	w1 := text[len(strings.Join(own, "")):][:len(cosign("witness.example/w1", "w1", 1795426216, "x"))]
	for name, good := range map[string]string{
		"the log alone": head + line, "with its time": head + line + clock, "one witness": head + line + w1, "time and one witness": head + line + clock + w1, "all": text,
	} {
		if _, err := p.OpenUnwitnessed([]byte(good)); err != nil {
			t.Errorf("%s: %v", name, err)
		}
		if _, err := p.OpenCheckpoint([]byte(good)); (err == nil) != (name == "all") || err != nil && !errors.Is(err, ledger.ErrPolicy) {
			t.Errorf("%s, with the quorum asked: %v", name, err)
		}
	}
	for name, bad := range map[string]string{
		"time first": head + clock + line, "time after a witness": head + line + w1 + clock, "time twice": head + line + clock + clock, "time alone": head + clock,
		"a stranger": head + line + cosign("witness.example/w9", "w9", 1, head[:len(head)-1]), "no signature": head,
		"forged witness": head + line + strings.Replace(w1, "AAAABrBAeo", "AAAABrBAeq", 1),
		"forged time":    head + line + strings.Replace(clock, "AAAABrBAen", "AAAABrBAem", 1),
	} {
		if bad == text || bad == head+line+clock || bad == head+line+w1 {
			t.Fatalf("%s: the case changes nothing", name)
		}
		if c, err := p.OpenUnwitnessed([]byte(bad)); err == nil {
			t.Errorf("%s: accepted as %+v", name, c)
		}
	}
	var none *ledger.Policy
	if _, err := none.OpenUnwitnessed(s.timed); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("no policy: %v", err)
	}
}

func TestAddCosignatures(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	signer, _ := sampleSigner(t)
	bare := must[[]byte](t)(ledger.SignTime(signer, s.receipt.Checkpoint, time.Unix(1795426215, 0)))
	text := must[ledger.Checkpoint](t)(p.OpenUnwitnessed(bare)).NoteText()
	w1, w3 := cosign("witness.example/w1", "w1", 1795426216, text), cosign("witness.example/w3", "w3", 1795426217, text)
	older, newer := cosign("witness.example/w1", "w1", 1795426000, text), cosign("witness.example/w1", "w1", 1795427000, text)

	for name, lines := range map[string][]string{
		"in order": {w1, w3}, "in another": {w3, w1}, "again": {w1, w3, w1}, "an older one beside": {older, w1, w3}, "an older one after": {w1, w3, older},
	} {
		if got := must[[]byte](t)(ledger.AddCosignatures(p, bare, lines...)); !bytes.Equal(got, s.timed) {
			t.Errorf("%s:\n%s", name, got)
		}
	}
	if got := must[[]byte](t)(ledger.AddCosignatures(p, s.timed)); !bytes.Equal(got, s.timed) {
		t.Errorf("nothing added:\n%s", got)
	}
	if got := must[[]byte](t)(ledger.WithoutCosignatures(p, s.timed)); !bytes.Equal(got, bare) {
		t.Errorf("all taken away:\n%s", got)
	}
	if _, err := ledger.WithoutCosignatures(p, bare[:len(bare)-1]); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("err %v", err)
	}
	renewed := must[[]byte](t)(ledger.AddCosignatures(p, s.timed, newer))
	if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(renewed)); c.Witnessed[0].Unix() != 1795427000 || c.Witnessed[1].Unix() != 1795426217 {
		t.Errorf("renewed: %+v", c)
	}
	for name, test := range map[string]struct {
		line string
		want error
	}{
		"stranger":       {cosign("witness.example/w9", "w9", 1795426216, text), ledger.ErrPolicy},
		"name of ours":   {cosign("witness.example/w1", "w9", 1795426216, text), ledger.ErrPolicy},
		"another text":   {cosign("witness.example/w1", "w1", 1795426216, "x\n"), ledger.ErrTampered},
		"the log's own":  {strings.SplitAfter(string(bare), "\n")[5], ledger.ErrPolicy},
		"no newline":     {strings.TrimSuffix(w1, "\n"), ledger.ErrMalformed},
		"two lines":      {w1 + w3, ledger.ErrMalformed},
		"nothing":        {"", ledger.ErrMalformed},
		"stray base64":   {strings.Replace(w1, "==", "", 1), ledger.ErrMalformed},
		"hyphen":         {strings.Replace(w1, "—", "-", 1), ledger.ErrMalformed},
		"trailing space": {strings.Replace(w1, "\n", " \n", 1), ledger.ErrMalformed},
	} {
		if got, err := ledger.AddCosignatures(p, bare, test.line); !errors.Is(err, test.want) {
			t.Errorf("%s: %v\n%s", name, err, got)
		}
	}
}

func FuzzOpenCheckpoint(f *testing.F) {
	text := readGolden(f, "witnessed-policy.txt")
	p, err := ledger.ParsePolicy(text)
	if err != nil {
		f.Fatal(err)
	}
	theirs, err := torchwood.ParsePolicy(text)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(readGolden(f, "witnessed-checkpoint.txt"))
	f.Add(readGolden(f, "checkpoint.txt"))
	f.Add(readGolden(f, "timed-checkpoint.txt"))
	f.Fuzz(func(t *testing.T, signed []byte) {
		open, err := p.OpenUnwitnessed(signed)
		if err == nil {
			if again, err := ledger.AddCosignatures(p, signed); err != nil || !bytes.Equal(again, signed) {
				t.Fatalf("second form of a checkpoint: %q, %q (%v)", signed, again, err)
			}
		}
		c, err := p.OpenCheckpoint(signed)
		if err != nil {
			return
		}
		other, _, err := torchwood.VerifyCheckpoint(signed, theirs)
		if err != nil || other.N != int64(c.Size) || other.Hash != [32]byte(c.Root) || other.Origin != c.Origin || open.Root != c.Root {
			t.Fatalf("others see %+v (%v), we %+v", other, err, c)
		}
	})
}

// FuzzAddCosignatures: whatever a witness sends, what comes out is a checkpoint of the same tree that we and others read.
func FuzzAddCosignatures(f *testing.F) {
	p, err := ledger.ParsePolicy(readGolden(f, "witnessed-policy.txt"))
	if err != nil {
		f.Fatal(err)
	}
	signed := readGolden(f, "timed-checkpoint.txt")
	for line := range strings.SplitAfterSeq(string(signed), "\n") {
		f.Add(line)
	}
	f.Fuzz(func(t *testing.T, line string) {
		again, err := ledger.AddCosignatures(p, signed, line)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) && !errors.Is(err, ledger.ErrTampered) && !errors.Is(err, ledger.ErrPolicy) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if _, err := p.OpenCheckpoint(again); err != nil {
			t.Fatalf("line %q makes %q: %v", line, again, err)
		}
	})
}

// A policy that remembers what it judged takes nothing else for it, and what it gave away cannot be changed under it.
func TestPolicyRemembers(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	first := must[ledger.Checkpoint](t)(p.OpenCheckpoint(s.witnessed))
	want := first.Witnessed[0]
	first.Witnessed[0] = time.Time{}
	alone := must[[]byte](t)(ledger.WithoutCosignatures(p, s.witnessed))
	for i := range s.witnessed {
		changed := bytes.Clone(s.witnessed)
		changed[i] ^= 1
		if c, err := p.OpenCheckpoint(changed); err == nil {
			t.Errorf("with byte %d changed: %+v", i, c)
		}
		if _, err := p.OpenCheckpoint(alone); !errors.Is(err, ledger.ErrPolicy) { // remembered, and without its quorum as before
			t.Fatalf("without co-signatures: %v", err)
		}
		_ = must[ledger.Checkpoint](t)(p.OpenUnwitnessed(alone))
		if c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(s.witnessed)); len(c.Witnessed) != 2 || !c.Witnessed[0].Equal(want) {
			t.Fatalf("again: %+v", c)
		}
	}
}
