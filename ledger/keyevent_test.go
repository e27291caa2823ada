package ledger_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/rand"
	"errors"
	"io"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
)

func sampleKeyEvent(t testing.TB) ledger.KeyEvent {
	_, older := signerOf(t, sampleOrigin, "older log")
	_, newer := sampleSigner(t)
	return ledger.KeyEvent{Old: older, New: newer, Time: time.Date(2026, 11, 25, 8, 0, 0, 1000, time.UTC)}
}

func TestKeyLeaf(t *testing.T) {
	e := sampleKeyEvent(t)
	leaf := must[ledger.Leaf](t)(e.Leaf())
	if got := must[ledger.KeyEvent](t)(ledger.ParseKeyLeaf(leaf)); got != e {
		t.Errorf("%+v", got)
	}
	for i := range leaf {
		for _, flip := range []byte{1, 0x20, 0x80} {
			bad := bytes.Clone(leaf)
			bad[i] ^= flip
			// Another time is another event; everything else must be refused.
			if got, err := ledger.ParseKeyLeaf(bad); err == nil && (got.Old != e.Old || got.New != e.New) {
				t.Errorf("byte %d: %q", i, bad)
			} else if err != nil && !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("byte %d: %v", i, err)
			}
		}
	}
	for _, bad := range []string{"", string(leaf) + "\n", string(leaf[:len(leaf)-1]), strings.Replace(string(leaf), "old ", "older ", 1)} {
		if _, err := ledger.ParseKeyLeaf(ledger.Leaf(bad)); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%q: %v", bad, err)
		}
	}
	_, stranger := signerOf(t, "other.example/records", "older log")
	for _, bad := range []ledger.KeyEvent{
		{Old: e.Old, New: e.Old, Time: e.Time}, {Old: stranger, New: e.New, Time: e.Time}, {Old: e.Old, New: "x", Time: e.Time},
		{Old: e.Old, New: e.New, Time: e.Time.Add(1)}, {Old: e.Old, New: e.New, Time: e.Time.In(time.FixedZone("", 7*3600))}, {Old: e.Old, New: e.New},
	} {
		if _, err := bad.Leaf(); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%+v: %v", bad, err)
		}
	}
	back := ledger.KeyEvent{Old: e.New, New: e.Old, Time: e.Time}
	if e.Identity() == back.Identity() || e.Identity() != (ledger.KeyEvent{New: e.New}).Identity() {
		t.Error("identities")
	}
}

func TestDestructionLeaf(t *testing.T) {
	salt := ledger.NewSalt()
	leaf := ledger.DestructionLeaf("party", salt, []byte("act"))
	register, committed, err := ledger.ParseDestructionLeaf(leaf)
	if err != nil || register != "party" {
		t.Fatal(register, err)
	}
	_, same, err := ledger.ParseVersionLeaf(ledger.VersionLeaf("party", salt, []byte("act")))
	if err != nil || same != committed {
		t.Error("the commitment is not that of a version", err)
	}
	if _, _, err := ledger.ParseVersionLeaf(leaf); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a destruction is taken for a version: %v", err)
	}
	id := uuid.Must(uuid.NewV7())
	if ledger.DestructionIdentity(id) == ledger.VersionIdentity(id) {
		t.Error("a version and its destruction have one identity")
	}
}

// The checkpoint of a handing over holds under the policy that has both keys, and under that of either key as far as it goes.
func TestSignRotation(t *testing.T) {
	older, oldKey := signerOf(t, sampleOrigin, "older log")
	newer, newKey := sampleSigner(t)
	both := must[*ledger.Policy](t)(ledger.ParsePolicy([]byte("log " + newKey + "\nlog " + oldKey + "\nquorum none\n")))
	root := ledger.SumHash([]byte("root"))
	signed := must[[]byte](t)(ledger.SignRotation(newer, older, 9, root))
	if c, err := both.OpenCheckpoint(signed); err != nil || c.Key != newKey || c.Size != 9 || c.Root != root {
		t.Errorf("%+v, %v", c, err)
	}
	timed := must[[]byte](t)(ledger.SignTime(newer, signed, time.Unix(1795426215, 0)))
	if c, err := both.OpenCheckpoint(timed); err != nil || c.Time.Unix() != 1795426215 {
		t.Errorf("with a time line: %+v, %v", c, err)
	}
	again := must[[]byte](t)(ledger.SignTime(newer, timed, time.Unix(1795426216, 0)))
	if c, err := both.OpenCheckpoint(again); err != nil || c.Time.Unix() != 1795426216 || len(again) != len(timed) {
		t.Errorf("with another time line: %+v, %v", c, err)
	}
	for _, one := range []string{oldKey, newKey} {
		if _, err := must[*ledger.Policy](t)(ledger.NewPolicy(one)).OpenCheckpoint(signed); !errors.Is(err, ledger.ErrPolicy) {
			t.Errorf("with one key: %v", err)
		}
	}
	wrong := must[*ledger.Policy](t)(ledger.ParsePolicy([]byte("log " + oldKey + "\nlog " + newKey + "\nquorum none\n")))
	if _, err := wrong.OpenCheckpoint(signed); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("the older key's signature first: %v", err)
	}
	lines := bytes.SplitAfter(signed, []byte("\n"))
	old := lines[5]
	for i := len("— "+sampleOrigin+" ") + 8; i < len(old)-3; i += 7 {
		bad := bytes.Clone(signed)
		at := len(signed) - len(old) + i
		if bad[at] ^= 1; bad[at] == '+' || bad[at] == '/' || bad[at] == '.' || bad[at] == '*' {
			continue
		}
		if _, err := both.OpenCheckpoint(bad); err == nil {
			t.Errorf("a changed signature of the older key at %d", i)
		}
	}
}

// broken is a token whose signatures do not hold.
type broken struct{ ed25519.PrivateKey }

func (b broken) Sign(r io.Reader, message []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := b.PrivateKey.Sign(r, message, opts)
	sig[3] ^= 1
	return sig, err
}

func TestNewSigner(t *testing.T) {
	private, vkey, _ := seedKey(sampleOrigin, 1, "sample log")
	s := must[ledger.Signer](t)(ledger.NewSigner(sampleOrigin, private))
	if s.VerifierKey() != vkey || s.Name() != sampleOrigin {
		t.Errorf("%s %s", s.Name(), s.VerifierKey())
	}
	same, _ := sampleSigner(t)
	a := must[[]byte](t)(ledger.SignCheckpoint(s, 0, ledger.EmptyRoot()))
	if b := must[[]byte](t)(ledger.SignCheckpoint(same, 0, ledger.EmptyRoot())); !bytes.Equal(a, b) {
		t.Errorf("%s\n%s", a, b)
	}
	other, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := ledger.NewSigner(sampleOrigin, other); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a P-256 key: %v", err)
	}
	if _, err := ledger.NewSigner("two words", private); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("a bad origin: %v", err)
	}
	bad := must[ledger.Signer](t)(ledger.NewSigner(sampleOrigin, broken{private}))
	if _, err := ledger.SignCheckpoint(bad, 0, ledger.EmptyRoot()); !errors.Is(err, ledger.ErrTampered) {
		t.Errorf("a broken token: %v", err)
	}
}
