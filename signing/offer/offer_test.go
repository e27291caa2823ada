package offer_test

import (
	"bytes"
	"crypto/ed25519"
	"crypto/sha256"
	"errors"
	"os"
	"reflect"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/signing/offer"
)

var key = ed25519.NewKeyFromSeed(bytes.Repeat([]byte{7}, ed25519.SeedSize))

func public() ed25519.PublicKey { return ed25519.PublicKey(key[32:]) }

func sample() offer.Offer {
	digest := sha256.Sum256([]byte("document"))
	issued := time.Date(2026, 5, 6, 7, 8, 9, 0, time.UTC)
	return offer.Offer{
		Job:     uuid.MustParse("019a0000-0000-7000-8000-000000000001"),
		Account: uuid.MustParse("019a0000-0000-7000-8000-000000000002"),
		Device:  uuid.MustParse("019a0000-0000-7000-8000-000000000003"),
		Server:  "https://trien.example.test", Issued: issued, Expires: issued.Add(15 * time.Minute),
		Purpose: "approval", Algorithm: "ecdsa-sha256", Digest: digest[:], Range: [4]int64{0, 100, 200, 300}, Size: 500,
		Certificate: sha256.Sum256([]byte("certificate")), Roles: []string{"Trưởng ban", "Ủy viên"},
		Register: "cadre", Title: "Sơ yếu lý lịch", Reason: "Phê duyệt", Pages: 3,
	}
}

const golden = "testdata/offer.v1"

func TestGolden(t *testing.T) {
	signed, err := offer.Sign(sample(), key)
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile(golden)
	if err != nil {
		t.Fatal(err)
	}
	if !bytes.Equal(signed, want) {
		t.Errorf("the format has changed:\n%s", signed)
	}
	o, err := offer.Open(want, public())
	if err != nil {
		t.Fatal(err)
	}
	if !reflect.DeepEqual(o, sample()) {
		t.Errorf("read %+v", o)
	}
}

func TestEveryFlippedBitIsSeen(t *testing.T) {
	signed, err := offer.Sign(sample(), key)
	if err != nil {
		t.Fatal(err)
	}
	for i := range signed {
		for bit := range 8 {
			b := bytes.Clone(signed)
			b[i] ^= 1 << bit
			if _, err := offer.Open(b, public()); !errors.Is(err, offer.ErrSignature) && !errors.Is(err, offer.ErrMalformed) {
				t.Fatalf("bit %d of byte %d: %v", bit, i, err)
			}
		}
	}
	other := ed25519.PublicKey(ed25519.NewKeyFromSeed(make([]byte, ed25519.SeedSize))[32:])
	if _, err := offer.Open(signed, other); !errors.Is(err, offer.ErrSignature) {
		t.Errorf("under another key: %v", err)
	}
	if _, err := offer.Open(signed, nil); !errors.Is(err, offer.ErrSignature) {
		t.Errorf("under no key: %v", err)
	}
}

// What the server's key signed and is in another form is refused: the form is part of the promise.
func TestOneForm(t *testing.T) {
	signed, err := offer.Sign(sample(), key)
	if err != nil {
		t.Fatal(err)
	}
	text, _, _ := strings.Cut(string(signed), "\nsignature ")
	for _, change := range [][2]string{
		{"size 500", "size +500"}, {"size 500", "size 0500"}, {"digest ", "digest AA"}, {"pages 3\n", "pages 3\npages 3\n"},
		{"07:08:09Z", "07:08:09.0Z"}, {"07:08:09Z", "14:08:09+07:00"}, {"job 019a", "job 019A"}, {"reason Phê duyệt", "reason "},
		{"\nreason ", "\nnote x\nreason "}, {"title Sơ", "title  Sơ"}, {"trien/offer/v1", "trien/offer/v2"}, {"range 0 ", "range 1 "},
	} {
		changed := strings.Replace(text, change[0], change[1], 1)
		if changed == text {
			t.Fatalf("%q is not in the text", change[0])
		}
		again, err := offer.Open(offer.Seal(changed, key), public())
		if change[1] == "reason " {
			if err != nil || again.Reason != "" {
				t.Errorf("an offer without a reason: %v", err)
			}
			continue
		}
		if !errors.Is(err, offer.ErrMalformed) {
			t.Errorf("%q for %q: %v", change[1], change[0], err)
		}
	}
}

func TestWhatHasNoPlaceInAnOffer(t *testing.T) {
	for name, change := range map[string]func(*offer.Offer){
		"two lines":    func(o *offer.Offer) { o.Title = "a\nreason b" },
		"control":      func(o *offer.Offer) { o.Reason = "a\x1b[2Jb" },
		"bidi":         func(o *offer.Offer) { o.Title = "a\u202eb" },
		"space around": func(o *offer.Offer) { o.Title = "a " },
		"long":         func(o *offer.Offer) { o.Title = strings.Repeat("a", 1001) },
		"no title":     func(o *offer.Offer) { o.Title = "" },
		"no device":    func(o *offer.Offer) { o.Device = uuid.Nil },
		"no term":      func(o *offer.Offer) { o.Expires = o.Issued },
		"fraction":     func(o *offer.Offer) { o.Expires = o.Expires.Add(1) },
		"digest":       func(o *offer.Offer) { o.Digest = o.Digest[:20] },
		"range":        func(o *offer.Offer) { o.Range[3]-- },
		"roles":        func(o *offer.Offer) { o.Roles = make([]string, 9) },
		"empty role":   func(o *offer.Offer) { o.Roles = []string{""} },
	} {
		o := sample()
		change(&o)
		if _, err := offer.Sign(o, key); !errors.Is(err, offer.ErrMalformed) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestCheck(t *testing.T) {
	o := sample()
	const skew = time.Minute
	for name, c := range map[string]struct {
		account, device uuid.UUID
		at              time.Time
		want            error
	}{
		"in time":         {o.Account, o.Device, o.Issued, nil},
		"a slow clock":    {o.Account, o.Device, o.Issued.Add(-skew), nil},
		"a quick clock":   {o.Account, o.Device, o.Expires.Add(skew - 1), nil},
		"too early":       {o.Account, o.Device, o.Issued.Add(-skew - 1), offer.ErrExpired},
		"too late":        {o.Account, o.Device, o.Expires.Add(skew), offer.ErrExpired},
		"another account": {o.Device, o.Device, o.Issued, offer.ErrMalformed},
		"another device":  {o.Account, o.Account, o.Issued, offer.ErrMalformed},
	} {
		if err := o.Check(c.account, c.device, c.at, skew); !errors.Is(err, c.want) {
			t.Errorf("%s: %v", name, err)
		}
	}
}

func TestSessionText(t *testing.T) {
	at := time.Date(2026, 5, 6, 14, 8, 9, 0, time.FixedZone("", 7*3600))
	got := offer.SessionText(sample().Device, at, [offer.NonceSize]byte{1, 15: 255})
	const want = "trien/device-session/v1\n019a0000-0000-7000-8000-000000000003\n2026-05-06T07:08:09Z\n010000000000000000000000000000ff\n"
	if string(got) != want {
		t.Errorf("%q", got)
	}
}

// Whatever parses is written again as it was read.
func FuzzParse(f *testing.F) {
	signed, err := offer.Sign(sample(), key)
	if err != nil {
		f.Fatal(err)
	}
	text, _, _ := strings.Cut(string(signed), "\nsignature ")
	f.Add(text)
	f.Add(offer.Format + "\n")
	f.Add("")
	f.Fuzz(func(t *testing.T, text string) {
		sealed := offer.Seal(text, key)
		o, err := offer.Open(sealed, public())
		if err != nil {
			if !errors.Is(err, offer.ErrMalformed) {
				t.Fatal(err)
			}
			return
		}
		again, err := offer.Sign(o, key)
		if err != nil || !bytes.Equal(again, sealed) {
			t.Fatalf("%v\n%q\n%q", err, again, sealed)
		}
	})
}
