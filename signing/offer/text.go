package offer

import (
	"bytes"
	"crypto/ed25519"
	"encoding/base64"
	"encoding/hex"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"
)

const (
	maxText  = 1000 // bytes of one text
	maxRoles = 8
	maxPages = 1 << 24
)

var (
	separator   = []byte("\nsignature ")
	digestSizes = []int{32, 48, 64}
)

func seal(text, signature []byte) []byte {
	out := append(bytes.Clone(text), separator...)
	out = base64.StdEncoding.AppendEncode(out, signature)
	return append(out, '\n')
}

// unseal splits an offer; what is signed ends with a line feed.
func unseal(signed []byte) (text, signature []byte, err error) {
	if len(signed) > MaxSize {
		return nil, nil, fmt.Errorf("%w: more than %d bytes", ErrMalformed, MaxSize)
	}
	i := bytes.LastIndex(signed, separator)
	if i < 0 {
		return nil, nil, fmt.Errorf("%w: no signature", ErrMalformed)
	}
	text = signed[:i]
	signature, err = base64.StdEncoding.Strict().DecodeString(strings.TrimSuffix(string(signed[i+len(separator):]), "\n"))
	if err != nil || len(signature) != ed25519.SignatureSize || !bytes.Equal(seal(text, signature), signed) {
		return nil, nil, fmt.Errorf("%w: the signature cannot be read", ErrMalformed)
	}
	return text, signature, nil
}

// text is the one form of an offer.
func (o Offer) text() ([]byte, error) {
	if err := o.valid(); err != nil {
		return nil, err
	}
	var b bytes.Buffer
	fmt.Fprintf(&b, "%s\njob %s\naccount %s\ndevice %s\nserver %s\n", Format, o.Job, o.Account, o.Device, o.Server)
	fmt.Fprintf(&b, "issued %s\nexpires %s\n", stamp(o.Issued), stamp(o.Expires))
	fmt.Fprintf(&b, "purpose %s\nalgorithm %s\ndigest %x\n", o.Purpose, o.Algorithm, o.Digest)
	fmt.Fprintf(&b, "range %d %d %d %d\nsize %d\n", o.Range[0], o.Range[1], o.Range[2], o.Range[3], o.Size)
	fmt.Fprintf(&b, "certificate %x\ncommitment %s\n", o.Certificate, o.Commitment)
	for _, r := range o.Roles {
		fmt.Fprintf(&b, "role %s\n", r)
	}
	fmt.Fprintf(&b, "register %s\npages %d\ntitle %s\nreason %s\n", o.Register, o.Pages, o.Title, o.Reason)
	if b.Len() > MaxSize-200 {
		return nil, fmt.Errorf("%w: its texts are too long", ErrMalformed)
	}
	return b.Bytes(), nil
}

func stamp(t time.Time) string { return t.UTC().Format(time.RFC3339) }

func (o Offer) valid() error {
	wrong := func(what string) error { return fmt.Errorf("%w: %s", ErrMalformed, what) }
	switch {
	case o.Job == uuid.Nil || o.Account == uuid.Nil || o.Device == uuid.Nil:
		return wrong("an identifier is missing")
	case !whole(o.Issued) || !whole(o.Expires) || !o.Expires.After(o.Issued):
		return wrong("its term")
	case !slices.Contains(digestSizes, len(o.Digest)):
		return wrong("its digest")
	case !rangeIn(o.Range, o.Size):
		return wrong("its byte range")
	case o.Pages < 0 || o.Pages > maxPages:
		return wrong("its pages")
	case len(o.Roles) > maxRoles:
		return wrong("its roles")
	}
	for _, s := range []string{o.Server, o.Purpose, o.Algorithm, o.Register, o.Title} {
		if s == "" || !line(s) {
			return wrong("a text is missing or no single line")
		}
	}
	for _, s := range append([]string{o.Reason, o.Commitment}, o.Roles...) {
		if !line(s) {
			return wrong("a text is no single line")
		}
	}
	if slices.Contains(o.Roles, "") {
		return wrong("a role is empty")
	}
	return nil
}

// whole reports whether t stands in an offer as it is.
func whole(t time.Time) bool { return t.Nanosecond() == 0 && t.Year() >= 2000 && t.Year() < 10000 }

// rangeIn reports whether two runs, in order, begin at the document's start and end at its end.
func rangeIn(r [4]int64, size int64) bool {
	return r[0] == 0 && r[1] > 0 && r[2] > r[1] && r[3] > 0 && r[2] <= size && size-r[2] == r[3]
}

// line reports whether s is text that can be shown in one line, and looks the same when it is read again.
func line(s string) bool {
	return len(s) <= maxText && utf8.ValidString(s) && strings.TrimSpace(s) == s &&
		strings.IndexFunc(s, func(r rune) bool { return !unicode.IsPrint(r) }) < 0
}

// reader takes the lines of an offer in their order.
type reader struct {
	lines []string
	bad   string
}

// next reads the value of the line with that name; "" and a note if it is another.
func (r *reader) next(name string) string {
	if len(r.lines) == 0 {
		r.fail(name)
		return ""
	}
	value, ok := strings.CutPrefix(r.lines[0], name+" ")
	if !ok {
		r.fail(name)
		return ""
	}
	r.lines = r.lines[1:]
	return value
}

func (r *reader) fail(what string) {
	if r.bad == "" {
		r.bad = what
	}
}

func (r *reader) id(name string) uuid.UUID {
	id, err := uuid.Parse(r.next(name))
	if err != nil {
		r.fail(name)
	}
	return id
}

func (r *reader) time(name string) time.Time {
	t, err := time.Parse(time.RFC3339, r.next(name))
	if err != nil {
		r.fail(name)
	}
	return t.UTC()
}

func (r *reader) hex(name string) []byte {
	b, err := hex.DecodeString(r.next(name))
	if err != nil {
		r.fail(name)
	}
	return b
}

func (r *reader) numbers(name string, into ...*int64) {
	fields := strings.Split(r.next(name), " ")
	if len(fields) != len(into) {
		r.fail(name)
		return
	}
	for i, value := range into {
		n, err := strconv.ParseInt(fields[i], 10, 64)
		if err != nil {
			r.fail(name)
		}
		*value = n
	}
}

// parse reads the signed text. What would be written in another way is refused.
func parse(text []byte) (Offer, error) {
	r := &reader{lines: strings.Split(strings.TrimSuffix(string(text), "\n"), "\n")}
	if r.lines[0] != Format {
		return Offer{}, fmt.Errorf("%w: another format", ErrMalformed)
	}
	r.lines = r.lines[1:]
	var o Offer
	var pages int64
	o.Job, o.Account, o.Device, o.Server = r.id("job"), r.id("account"), r.id("device"), r.next("server")
	o.Issued, o.Expires = r.time("issued"), r.time("expires")
	o.Purpose, o.Algorithm, o.Digest = r.next("purpose"), r.next("algorithm"), r.hex("digest")
	r.numbers("range", &o.Range[0], &o.Range[1], &o.Range[2], &o.Range[3])
	r.numbers("size", &o.Size)
	if fingerprint := r.hex("certificate"); len(fingerprint) == len(o.Certificate) {
		o.Certificate = [32]byte(fingerprint)
	} else {
		r.fail("certificate")
	}
	o.Commitment = r.next("commitment")
	for len(r.lines) > 0 && strings.HasPrefix(r.lines[0], "role ") {
		o.Roles = append(o.Roles, r.next("role"))
	}
	o.Register = r.next("register")
	r.numbers("pages", &pages)
	o.Title, o.Reason = r.next("title"), r.next("reason")
	if pages < 0 || pages > maxPages {
		r.fail("pages")
	}
	o.Pages = int(pages)
	if r.bad != "" || len(r.lines) > 0 {
		return Offer{}, fmt.Errorf("%w: %s", ErrMalformed, r.bad)
	}
	again, err := o.text()
	if err != nil {
		return Offer{}, err
	}
	if !bytes.Equal(again, text) {
		return Offer{}, fmt.Errorf("%w: not in its one form", ErrMalformed)
	}
	return o, nil
}
