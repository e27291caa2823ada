package ledger_test

import (
	"bytes"
	"errors"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
)

func TestManifestRoundTrip(t *testing.T) {
	for _, name := range []string{"manifest.txt", "manifest-next.txt"} {
		text := readGolden(t, name)
		m := must[ledger.Manifest](t)(ledger.ParseManifest(text))
		if again := must[[]byte](t)(m.MarshalText()); !bytes.Equal(again, text) {
			t.Errorf("%s: marshals to\n%s", name, again)
		}
	}
	want := sampleManifest()
	if got := must[ledger.Manifest](t)(ledger.ParseManifest(readGolden(t, "manifest.txt"))); got != want {
		t.Errorf("got %+v, want %+v", got, want)
	}
}

func TestManifestTimeIsWrittenInUTC(t *testing.T) {
	m := sampleManifest()
	m.Time = m.Time.In(time.FixedZone("ICT", 7*3600))
	golden(t, "manifest.txt", must[[]byte](t)(m.MarshalText()))
}

func TestManifestRefusesFields(t *testing.T) {
	tests := map[string]func(*ledger.Manifest){
		"no version":         func(m *ledger.Manifest) { m.Version = uuid.Nil },
		"no record":          func(m *ledger.Manifest) { m.Record = uuid.Nil },
		"no actor":           func(m *ledger.Manifest) { m.Actor = uuid.Nil },
		"no unit":            func(m *ledger.Manifest) { m.Unit = uuid.Nil },
		"no kind":            func(m *ledger.Manifest) { m.Kind = "" },
		"kind with space":    func(m *ledger.Manifest) { m.Kind = "party.member slip" },
		"kind with newline":  func(m *ledger.Manifest) { m.Kind = "party\nregister x" },
		"kind ends in dot":   func(m *ledger.Manifest) { m.Kind = "party." },
		"kind too long":      func(m *ledger.Manifest) { m.Kind = strings.Repeat("k", 65) },
		"register capital":   func(m *ledger.Manifest) { m.Register = "Party" },
		"register with dot":  func(m *ledger.Manifest) { m.Register = "party.x" },
		"register too long":  func(m *ledger.Manifest) { m.Register = strings.Repeat("k", 33) },
		"no media type":      func(m *ledger.Manifest) { m.MediaType = "" },
		"media parameters":   func(m *ledger.Manifest) { m.MediaType = "text/xml; charset=utf-8" },
		"media in capitals":  func(m *ledger.Manifest) { m.MediaType = "Application/PDF" },
		"media without sub":  func(m *ledger.Manifest) { m.MediaType = "application/" },
		"negative size":      func(m *ledger.Manifest) { m.Size = -1 },
		"no hash":            func(m *ledger.Manifest) { m.SHA256 = ledger.Hash{} },
		"no object hash":     func(m *ledger.Manifest) { m.ObjectSHA256 = ledger.Hash{} },
		"unknown origin":     func(m *ledger.Manifest) { m.Origin = "found" },
		"basis is a dash":    func(m *ledger.Manifest) { m.Basis = "-" },
		"basis newline":      func(m *ledger.Manifest) { m.Basis = "a\ntime b" },
		"basis tab":          func(m *ledger.Manifest) { m.Basis = "a\tb" },
		"basis odd space":    func(m *ledger.Manifest) { m.Basis = "a\u00a0b" },
		"basis direction":    func(m *ledger.Manifest) { m.Basis = "a\u202eb" },
		"basis bad UTF-8":    func(m *ledger.Manifest) { m.Basis = "a\xffb" },
		"basis replacement":  func(m *ledger.Manifest) { m.Basis = "a\ufffdb" },
		"basis leading":      func(m *ledger.Manifest) { m.Basis = " a" },
		"basis trailing":     func(m *ledger.Manifest) { m.Basis = "a " },
		"basis too long":     func(m *ledger.Manifest) { m.Basis = strings.Repeat("ư", 101) },
		"time with nanos":    func(m *ledger.Manifest) { m.Time = m.Time.Add(time.Nanosecond) },
		"time too late":      func(m *ledger.Manifest) { m.Time = time.Date(10000, 1, 1, 0, 0, 0, 0, time.UTC) },
		"time before year 1": func(m *ledger.Manifest) { m.Time = time.Date(0, 1, 1, 0, 0, 0, 0, time.UTC) },
	}
	for name, change := range tests {
		t.Run(name, func(t *testing.T) {
			m := sampleManifest()
			change(&m)
			if text, err := m.MarshalText(); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("err %v, text\n%s", err, text)
			}
		})
	}
}

func TestManifestRefusesTexts(t *testing.T) {
	text := string(readGolden(t, "manifest.txt"))
	tests := map[string]string{
		"empty":           "",
		"no last newline": strings.TrimSuffix(text, "\n"),
		"trailing data":   text + "\n",
		"second manifest": text + text,
		"carriage return": strings.ReplaceAll(text, "\n", "\r\n"),
		"other format":    strings.Replace(text, "manifest/v1", "manifest/v2", 1),
		"leading zero":    strings.Replace(text, "size 1", "size 01", 1),
		"plus sign":       strings.Replace(text, "size 1", "size +1", 1),
		"capital hex":     strings.Replace(text, "sha256 96d", "sha256 96D", 1),
		"capital uuid":    strings.Replace(text, "01981a2b-3c4d", "01981A2B-3c4d", 1),
		"braced uuid":     strings.Replace(text, "01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b", "{01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b}", 1),
		"urn uuid":        strings.Replace(text, "01981a2b-3c4d", "urn:uuid:01981a2b-3c4d", 1),
		"fewer digits":    strings.Replace(text, ".123456Z", ".12345Z", 1),
		"time zone":       strings.Replace(text, ".123456Z", ".123456+00:00", 1),
		"comma fraction":  strings.Replace(text, ".123456Z", ",123456Z", 1),
		"zero previous":   strings.Replace(text, "previous -", "previous "+strings.Repeat("0", 64), 1),
		"unknown line":    strings.Replace(text, "time ", "note x\ntime ", 1),
		"missing line":    strings.Replace(text, "origin digitised\n", "", 1),
		"lines swapped":   strings.Replace(text, "kind party.member_slip\nregister party\n", "register party\nkind party.member_slip\n", 1),
		"two spaces":      strings.Replace(text, "kind ", "kind  ", 1),
		"too long":        text + strings.Repeat("x", 4096),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			if bad == text {
				t.Fatal("the case changes nothing")
			}
			if m, err := ledger.ParseManifest([]byte(bad)); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("err %v, manifest %+v", err, m)
			}
		})
	}
}

func TestManifestErrorsHoldNoContent(t *testing.T) {
	bad := strings.Replace(string(readGolden(t, "manifest.txt")), "trang 3", "trang 3\x00secretword", 1)
	if _, err := ledger.ParseManifest([]byte(bad)); err == nil || strings.Contains(err.Error(), "secretword") {
		t.Errorf("err %v", err)
	}
}

func FuzzParseManifest(f *testing.F) {
	f.Add(readGolden(f, "manifest.txt"))
	f.Add(readGolden(f, "manifest-next.txt"))
	f.Add([]byte("trien/manifest/v1\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		m, err := ledger.ParseManifest(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if again, err := m.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("second form of a manifest: %q (%v)", text, err)
		}
	})
}
