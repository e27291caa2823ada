package certs

import (
	"crypto/x509"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"
)

// The format of trust files is described in TRUST.md.
const (
	keyPurpose   = "purpose"
	keyNotBefore = "not-before"
	keyNotAfter  = "not-after"
	keyPolicies  = "policies"
	wordAll      = "all"

	maxTrustFiles = 1024
	dayLayout     = "2006-01-02"
)

var trustKeys = []string{keyPurpose, keyNotBefore, keyNotAfter, keyPolicies}

type purposeWord struct {
	word    string
	purpose Purpose
}

// The words of files, in the order in which they are written.
var purposeWords = []purposeWord{{"people", SignAsPerson}, {"seals", SealDocuments}, {"tsas", StampTime}, {"devices", AuthenticateDevice}}

// ParseAnchors reads PEM certificates, each under the header that stands before it (TRUST.md); certificates without a header
// are believed for every purpose at any time. Between them only empty lines and comments may stand,
// so that a damaged file is refused rather than read as a shorter list. Every anchor must be a CA certificate. The same anchor twice
// counts once if both say the same. Errors wrap ErrMalformed and name the line.
func ParseAnchors(data []byte) (*Anchors, error) {
	placed, err := readAnchors(data)
	if err != nil {
		return nil, fmt.Errorf("reading trust anchors: %w", err)
	}
	var list []Anchor
	for _, p := range placed {
		i := slices.IndexFunc(list, func(a Anchor) bool { return a.Certificate.Equal(p.Certificate) })
		if i >= 0 && list[i].header() != p.header() {
			return nil, fmt.Errorf("reading trust anchors: %w: line %d: the same certificate as above under another header", ErrMalformed, p.line)
		}
		if i < 0 {
			list = append(list, p.Anchor)
		}
	}
	return newAnchors(list), nil
}

// LoadAnchors reads a trust folder as [ReadAnchors] does, or a single file as [ParseAnchors] does.
func LoadAnchors(path string) (*Anchors, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("reading trust anchors: %w", err)
	}
	if info.IsDir() {
		return ReadAnchors(os.DirFS(path))
	}
	text, err := readBounded(os.DirFS(filepath.Dir(path)), filepath.Base(path))
	if err != nil {
		return nil, fmt.Errorf("reading trust anchors: %w", err)
	}
	return ParseAnchors(text)
}

// ReadAnchors reads every *.pem of a folder as [ParseAnchors] does; an anchor may stand in it once only. Names that start with a dot and texts
// (*.md, *.txt) are left out; any other name is refused, so that nobody believes that a .crt counts.
// Errors wrap ErrMalformed, and name the file and the line, or what the file system said.
func ReadAnchors(folder fs.FS) (*Anchors, error) {
	names, err := trustFiles(folder)
	if err != nil {
		return nil, fmt.Errorf("reading trust folder: %w", err)
	}
	var list []Anchor
	var places []string
	for _, name := range names {
		text, err := readBounded(folder, name)
		if err != nil {
			return nil, fmt.Errorf("reading trust folder: %w", err)
		}
		placed, err := readAnchors(text)
		if err != nil {
			return nil, fmt.Errorf("reading trust folder: %s: %w", name, err)
		}
		for _, p := range placed {
			if i := slices.IndexFunc(list, func(a Anchor) bool { return a.Certificate.Equal(p.Certificate) }); i >= 0 {
				return nil, fmt.Errorf("reading trust folder: %s: %w: line %d: the same certificate as in %s", name, ErrMalformed, p.line, places[i])
			}
			list = append(list, p.Anchor)
			places = append(places, fmt.Sprintf("%s, line %d", name, p.line))
		}
	}
	return newAnchors(list), nil
}

func trustFiles(folder fs.FS) ([]string, error) {
	entries, err := fs.ReadDir(folder, ".") // sorted by name
	if err != nil {
		return nil, err
	}
	var names []string
	for _, e := range entries {
		name := e.Name()
		switch {
		case strings.HasPrefix(name, "."), strings.HasSuffix(name, ".md"), strings.HasSuffix(name, ".txt"):
		case strings.HasSuffix(name, ".pem"):
			names = append(names, name)
		default:
			return nil, fmt.Errorf("%w: %s: anchors stand in *.pem, notes in *.md or *.txt", ErrMalformed, name)
		}
	}
	if len(names) == 0 || len(names) > maxTrustFiles {
		return nil, fmt.Errorf("%w: %d files *.pem, want 1 to %d", ErrMalformed, len(names), maxTrustFiles)
	}
	return names, nil
}

func readBounded(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer func() { _ = f.Close() }() // only read
	text, err := io.ReadAll(io.LimitReader(f, maxPEM+1))
	if err != nil {
		return nil, err
	}
	if len(text) > maxPEM {
		return nil, fmt.Errorf("%w: %s: more than %d bytes", ErrMalformed, name, maxPEM)
	}
	return text, nil
}

// placedAnchor is an anchor and the line at which its certificate starts.
type placedAnchor struct {
	Anchor
	line int
}

// readAnchors reads one file.
func readAnchors(data []byte) ([]placedAnchor, error) {
	var list []placedAnchor
	var h header
	err := readPEM(data, h.add, func(line int, c *x509.Certificate) error {
		if !isCA(c) {
			return fmt.Errorf("%w: line %d: the certificate is not a CA's", ErrMalformed, line)
		}
		a := h.anchor
		a.Certificate = c
		if a.empty() {
			return fmt.Errorf("%w: line %d: believed at no time: not-after is before not-before", ErrMalformed, line)
		}
		h.closed = true
		list = append(list, placedAnchor{a.clone(), line})
		return nil
	})
	if err == nil && !h.closed {
		err = fmt.Errorf("%w: line %d: header without a certificate", ErrMalformed, h.line)
	}
	return list, err
}

// header collects the lines before a certificate. It holds for all certificates up to the next header, which replaces it as a whole.
type header struct {
	anchor Anchor
	seen   map[string]bool
	closed bool // a certificate stood after it: the next header line starts a new one
	line   int  // its last
}

// add reads the text of one comment line.
func (h *header) add(line int, text string) error {
	key, value, ok, err := splitHeader(text)
	if err == nil && ok {
		if h.closed || h.seen == nil {
			*h = header{seen: map[string]bool{}}
		}
		h.line = line
		err = h.set(key, value)
	}
	if err != nil {
		return fmt.Errorf("%w: line %d: %w", ErrMalformed, line, err)
	}
	return nil
}

func (h *header) set(key, value string) (err error) {
	if h.seen[key] {
		return fmt.Errorf("%s stands there twice", key)
	}
	h.seen[key] = true
	switch key {
	case keyPurpose:
		h.anchor.Purposes, err = parsePurposes(value)
	case keyNotBefore:
		h.anchor.NotBefore, err = parseBound(value, false)
	case keyNotAfter:
		h.anchor.NotAfter, err = parseBound(value, true)
	case keyPolicies:
		h.anchor.Policies, err = parsePolicies(value)
	default:
		return fmt.Errorf("unknown key %q: want %s; a remark starts with ##", key, strings.Join(trustKeys, ", "))
	}
	return err
}

// splitHeader tells a header line from a remark. What looks like a header but is written wrongly is refused: it would open an anchor to everything.
func splitHeader(text string) (key, value string, ok bool, err error) {
	if strings.HasPrefix(text, "#") { // ##
		return "", "", false, nil
	}
	text = strings.TrimSpace(text)
	word, value, colon := strings.Cut(text, ":")
	lower := word != "" && strings.Trim(word, "abcdefghijklmnopqrstuvwxyz-") == ""
	if colon && lower && (value == "" || value[0] == ' ' || value[0] == '\t') {
		return word, strings.TrimSpace(value), true, nil
	}
	first, _, _ := strings.Cut(word, " ")
	first = strings.ReplaceAll(strings.ToLower(first), "_", "-")
	for _, known := range trustKeys {
		if first == known || first == known+"s" || first+"s" == known {
			return "", "", false, fmt.Errorf("not a header line: write %q; a remark starts with ##", "# "+known+": value")
		}
	}
	return "", "", false, nil
}

func parsePurposes(value string) ([]Purpose, error) {
	if value == wordAll {
		return nil, nil
	}
	var list []Purpose
	for _, word := range strings.Fields(value) {
		i := slices.IndexFunc(purposeWords, func(w purposeWord) bool { return w.word == word })
		if i < 0 {
			return nil, fmt.Errorf("unknown purpose %q: want people, seals, tsas, devices, or all alone", word)
		}
		if slices.Contains(list, purposeWords[i].purpose) {
			return nil, fmt.Errorf("purpose %q stands there twice", word)
		}
		list = append(list, purposeWords[i].purpose)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no purpose: want people, seals, tsas, devices, or all alone")
	}
	return list, nil
}

// parseBound reads a day (UTC; as an end it is included whole) or a moment of RFC 3339, in whole seconds.
func parseBound(value string, end bool) (time.Time, error) {
	if t, err := time.Parse(dayLayout, value); err == nil && t.Year() > 0 {
		if end {
			t = t.AddDate(0, 0, 1).Add(-time.Second)
		}
		return t, nil
	}
	t, err := time.Parse(time.RFC3339, value)
	if err != nil || t.Nanosecond() != 0 || t.IsZero() || t.UTC().Year() < 1 || t.UTC().Year() > 9999 {
		return time.Time{}, fmt.Errorf("not a time: %q; want 2031-12-31 or 2031-12-31T17:00:00+07:00", value)
	}
	return t.UTC(), nil
}

func parsePolicies(value string) ([]x509.OID, error) {
	var list []x509.OID
	for _, word := range strings.Fields(value) {
		oid, err := x509.ParseOID(word)
		if err != nil {
			return nil, fmt.Errorf("not an object identifier: %q", word)
		}
		if slices.ContainsFunc(list, oid.Equal) {
			return nil, fmt.Errorf("policy %s stands there twice", word)
		}
		list = append(list, oid)
	}
	if len(list) == 0 {
		return nil, fmt.Errorf("no policy given")
	}
	return list, nil
}

// canonicalPurposes sorts a set into the order of the words and resolves SignDocuments; every purpose there is becomes none, which means all.
func canonicalPurposes(list []Purpose) []Purpose {
	var out []Purpose
	for _, w := range purposeWords {
		if slices.ContainsFunc(list, func(p Purpose) bool { return p.covers(w.purpose) }) {
			out = append(out, w.purpose)
		}
	}
	if len(out) == len(purposeWords) {
		return nil
	}
	return out
}

// header writes what an anchor is believed for; "" if there is no limit.
func (a *Anchor) header() string {
	var b strings.Builder
	if len(a.Purposes) > 0 {
		b.WriteString("# " + keyPurpose + ":")
		for _, w := range purposeWords {
			if slices.Contains(a.Purposes, w.purpose) {
				b.WriteString(" " + w.word)
			}
		}
		b.WriteString("\n")
	}
	if !a.NotBefore.IsZero() {
		b.WriteString("# " + keyNotBefore + ": " + a.NotBefore.UTC().Format(time.RFC3339) + "\n")
	}
	if !a.NotAfter.IsZero() {
		b.WriteString("# " + keyNotAfter + ": " + a.NotAfter.UTC().Format(time.RFC3339) + "\n")
	}
	if len(a.Policies) > 0 {
		b.WriteString("# " + keyPolicies + ":")
		for _, oid := range a.Policies {
			b.WriteString(" " + oid.String())
		}
		b.WriteString("\n")
	}
	return b.String()
}
