package ledger_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"fmt"
	"log/slog"
	"slices"
	"strings"
	"testing"

	"github.com/google/uuid"

	"trien/ledger"
)

func TestVersionLeaf(t *testing.T) {
	s := newSample(t)
	register, commitment, err := ledger.ParseVersionLeaf(s.leaf)
	if err != nil || register != "party" || commitment.IsZero() {
		t.Fatalf("register %q, commitment %s, err %v", register, commitment, err)
	}
	others := []ledger.Leaf{
		ledger.VersionLeaf("cadre", s.salt, s.manifest),
		ledger.VersionLeaf("party", ledger.NewSalt(), s.manifest),
		ledger.VersionLeaf("party", s.salt, append(bytes.Clone(s.manifest), '\n')),
	}
	for i, l := range others {
		if l.Equal(s.leaf) || l.Hash() == s.leaf.Hash() {
			t.Errorf("case %d: the same leaf", i)
		}
	}
}

func TestParseVersionLeafRefuses(t *testing.T) {
	leaf := string(readGolden(t, "leaf.txt"))
	for name, bad := range map[string]string{
		"empty":           "",
		"no last newline": strings.TrimSuffix(leaf, "\n"),
		"trailing":        leaf + "x",
		"other format":    strings.Replace(leaf, "v1", "v2", 1),
		"register":        strings.Replace(leaf, "party", "Party", 1),
		"carriage return": strings.Replace(leaf, "party\n", "party\r\n", 1),
		"stray bits":      strings.Replace(leaf, "fQ=", "fR=", 1),
		"no padding":      strings.Replace(leaf, "fQ=", "fQ", 1),
		"short":           "trien/version/v1\nparty\nAAAA\n",
	} {
		if _, _, err := ledger.ParseVersionLeaf(ledger.Leaf(bad)); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%s: err %v", name, err)
		}
	}
}

func TestSaltHides(t *testing.T) {
	s := ledger.NewSalt()
	if s == (ledger.Salt{}) || s == ledger.NewSalt() {
		t.Fatal("salts are not random")
	}
	var b bytes.Buffer
	slog.New(slog.NewTextHandler(&b, nil)).Info("test", slog.Any("salt", s))
	fmt.Fprintf(&b, "%v %s %#v %+v", s, s, s, struct{ S ledger.Salt }{s})
	raw := fmt.Sprintf("%x", [32]byte(s))
	if strings.Contains(b.String(), raw) || strings.Contains(b.String(), fmt.Sprint([32]byte(s))) {
		t.Errorf("the salt shows in %s", &b)
	}
}

func TestVersionIdentity(t *testing.T) {
	id := uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b")
	sum := ledger.SumHash([]byte("trien/identity/v2\nversion " + id.String() + "\n"))
	if got, want := ledger.VersionIdentity(id), ledger.Hash(slices.Concat(id[:], sum[:16])); got != want {
		t.Errorf("got %s, want %s", got, want)
	}
}

func TestParseHash(t *testing.T) {
	h := ledger.SumHash([]byte("x"))
	if got := must[ledger.Hash](t)(ledger.ParseHash(h.String())); got != h {
		t.Errorf("got %s", got)
	}
	for _, bad := range []string{"", "0", strings.ToUpper(h.String()), h.String()[:62], h.String() + "00", h.String()[:63], " " + h.String()[1:], h.String()[:63] + "g"} {
		if _, err := ledger.ParseHash(bad); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%q: err %v", bad, err)
		}
	}
}

func FuzzParseVersionLeaf(f *testing.F) {
	f.Add(readGolden(f, "leaf.txt"))
	f.Add([]byte("trien/version/v1\nparty\n"))
	f.Fuzz(func(t *testing.T, b []byte) {
		register, commitment, err := ledger.ParseVersionLeaf(b)
		if err != nil {
			return
		}
		again := fmt.Sprintf("%s\n%s\n%s\n", ledger.VersionLeafFormat, register, base64.StdEncoding.EncodeToString(commitment[:]))
		if string(b) != again {
			t.Fatalf("second form of a leaf: %q", b)
		}
	})
}
