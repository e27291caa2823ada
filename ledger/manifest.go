package ledger

import (
	"bytes"
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

// ManifestFormat is the first line of a manifest.
const ManifestFormat = "trien/manifest/v1"

// Origins of a version.
const (
	OriginDeclared  = "declared"  // the person said so
	OriginDigitised = "digitised" // made from paper
	OriginProduced  = "produced"  // made by the vault, such as a signed revision
	OriginShared    = "shared"    // received from another body
)

const (
	manifestTime     = "2006-01-02T15:04:05.000000Z"
	maxBasis         = 200
	maxManifestBytes = 2048
)

// Manifest is what the ledger commits to for one version (format trien/manifest/v1). It holds no names.
type Manifest struct {
	Version, Record uuid.UUID
	Kind            string // lower-case words joined by dots, such as "party.member_slip"; at most 64 bytes
	Register        string // lower-case word, such as "party"; at most 32 bytes
	Previous        Hash   // [SumHash] of the previous version's manifest text; zero: the record's first version
	MediaType       string // type/subtype in lower case without parameters; at most 127 bytes
	Size            int64  // bytes of plaintext
	SHA256          Hash   // of the plaintext
	ObjectSHA256    Hash   // of the ciphertext object
	Origin          string // one of the Origin constants
	Actor, Unit     uuid.UUID
	Basis           string    // reference of the paper or decision it rests on; one line of printable UTF-8, ≤ 200 bytes; may be empty ("-" in text)
	Time            time.Time // whole microseconds, years 1 to 9999; written and read in UTC
}

// MarshalText gives the one canonical text: fixed line order, "key value\n", UTF-8, ends in newline.
// Errors wrap [ErrMalformed] and name the field.
func (m Manifest) MarshalText() ([]byte, error) {
	if field := m.invalidField(); field != "" {
		return nil, fmt.Errorf("%w: manifest field %q", ErrMalformed, field)
	}
	previous, basis := "-", "-"
	if !m.Previous.IsZero() {
		previous = m.Previous.String()
	}
	if m.Basis != "" {
		basis = m.Basis
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\n", ManifestFormat)
	fmt.Fprintf(&b, "version %s\nrecord %s\n", m.Version, m.Record)
	fmt.Fprintf(&b, "kind %s\nregister %s\nprevious %s\n", m.Kind, m.Register, previous)
	fmt.Fprintf(&b, "media-type %s\nsize %d\n", m.MediaType, m.Size)
	fmt.Fprintf(&b, "sha256 %s\nobject-sha256 %s\n", m.SHA256, m.ObjectSHA256)
	fmt.Fprintf(&b, "origin %s\nactor %s\nunit %s\n", m.Origin, m.Actor, m.Unit)
	fmt.Fprintf(&b, "basis %s\ntime %s\n", basis, m.Time.UTC().Format(manifestTime))
	return b.Bytes(), nil
}

// invalidField names the first field that has no canonical text, or "".
func (m Manifest) invalidField() string {
	utc := m.Time.UTC()
	checks := []struct {
		field string
		ok    bool
	}{
		{"version", m.Version != uuid.Nil},
		{"record", m.Record != uuid.Nil},
		{"kind", validKind(m.Kind)},
		{"register", validRegister(m.Register)},
		{"media-type", validMediaType(m.MediaType)},
		{"size", m.Size >= 0},
		{"sha256", !m.SHA256.IsZero()},
		{"object-sha256", !m.ObjectSHA256.IsZero()},
		{"origin", m.Origin == OriginDeclared || m.Origin == OriginDigitised || m.Origin == OriginProduced || m.Origin == OriginShared},
		{"actor", m.Actor != uuid.Nil},
		{"unit", m.Unit != uuid.Nil},
		{"basis", validBasis(m.Basis)},
		{"time", utc.Nanosecond()%1000 == 0 && utc.Year() >= 1 && utc.Year() <= 9999},
	}
	for _, c := range checks {
		if !c.ok {
			return c.field
		}
	}
	return ""
}

// ParseManifest accepts exactly what [Manifest.MarshalText] writes. Errors wrap [ErrMalformed].
func ParseManifest(text []byte) (Manifest, error) {
	m, err := parseManifest(text)
	if err != nil {
		return Manifest{}, fmt.Errorf("%w: manifest: %w", ErrMalformed, err)
	}
	again, err := m.MarshalText()
	if err != nil {
		return Manifest{}, err
	}
	if !bytes.Equal(again, text) {
		return Manifest{}, fmt.Errorf("%w: manifest is not in canonical form", ErrMalformed)
	}
	return m, nil
}

// parseManifest reads leniently; its caller compares what the result marshals to.
func parseManifest(text []byte) (Manifest, error) {
	var m Manifest
	if len(text) > maxManifestBytes {
		return m, fmt.Errorf("longer than %d bytes", maxManifestBytes)
	}
	format, rest, _ := strings.Cut(string(text), "\n")
	if format != ManifestFormat {
		return m, fmt.Errorf("first line is not %q", ManifestFormat)
	}
	fields := []struct {
		key  string
		read func(string) error
	}{
		{"version", readUUID(&m.Version)},
		{"record", readUUID(&m.Record)},
		{"kind", readString(&m.Kind)},
		{"register", readString(&m.Register)},
		{"previous", readOptional(func(s string) error { return readHash(&m.Previous)(s) })},
		{"media-type", readString(&m.MediaType)},
		{"size", func(s string) (err error) { m.Size, err = strconv.ParseInt(s, 10, 64); return err }},
		{"sha256", readHash(&m.SHA256)},
		{"object-sha256", readHash(&m.ObjectSHA256)},
		{"origin", readString(&m.Origin)},
		{"actor", readUUID(&m.Actor)},
		{"unit", readUUID(&m.Unit)},
		{"basis", readOptional(readString(&m.Basis))},
		{"time", func(s string) (err error) { m.Time, err = time.Parse(manifestTime, s); return err }},
	}
	for _, f := range fields {
		line, after, ended := strings.Cut(rest, "\n")
		value, keyed := strings.CutPrefix(line, f.key+" ")
		if !ended || !keyed {
			return m, fmt.Errorf("line %q is missing", f.key)
		}
		if err := f.read(value); err != nil {
			return m, fmt.Errorf("line %q cannot be read", f.key)
		}
		rest = after
	}
	if rest != "" {
		return m, fmt.Errorf("text after the last line")
	}
	return m, nil
}

func readString(to *string) func(string) error {
	return func(s string) error { *to = s; return nil }
}

func readUUID(to *uuid.UUID) func(string) error {
	return func(s string) (err error) { *to, err = uuid.Parse(s); return err }
}

func readHash(to *Hash) func(string) error {
	return func(s string) (err error) { *to, err = ParseHash(s); return err }
}

func readOptional(read func(string) error) func(string) error {
	return func(s string) error {
		if s == "-" {
			return nil
		}
		return read(s)
	}
}

func validRegister(s string) bool { return len(s) <= 32 && validWord(s) }

func validKind(s string) bool {
	if len(s) > 64 {
		return false
	}
	for word := range strings.SplitSeq(s, ".") {
		if !validWord(word) {
			return false
		}
	}
	return true
}

// validWord: a lower-case ASCII letter, then letters, digits, "_" and "-".
func validWord(s string) bool {
	for i, r := range s {
		letter := r >= 'a' && r <= 'z'
		if !letter && (i == 0 || !(r >= '0' && r <= '9' || r == '_' || r == '-')) {
			return false
		}
	}
	return s != ""
}

func validMediaType(s string) bool {
	kind, sub, found := strings.Cut(s, "/")
	return found && len(s) <= 127 && validMediaToken(kind) && validMediaToken(sub)
}

// validMediaToken: RFC 6838 restricted-name in lower case.
func validMediaToken(s string) bool {
	for i, r := range s {
		alnum := r >= 'a' && r <= 'z' || r >= '0' && r <= '9'
		if !alnum && (i == 0 || !strings.ContainsRune("!#$&-^_.+", r)) {
			return false
		}
	}
	return s != ""
}

// validBasis keeps the text on its line and visible: no control, no direction mark, no odd space. "-" alone means none.
func validBasis(s string) bool {
	if len(s) > maxBasis || s == "-" || !utf8.ValidString(s) || strings.TrimSpace(s) != s {
		return false
	}
	return strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) || r == utf8.RuneError }) < 0
}
