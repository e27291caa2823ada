package bundle_test

import (
	"bytes"
	"fmt"
	"math/rand/v2"
	"slices"
	"testing"
	"time"

	"trien/signing"
	"trien/signing/pdf"
	"trien/vault/bundle"
)

// Whatever byte is changed, the file does not pass. The places are random, and all of those around the signatures' own.
func TestVerifyFlippedBytes(t *testing.T) {
	o, _, file := standard(t)
	seed := uint64(time.Now().UnixNano())
	random := rand.New(rand.NewPCG(seed, 1))
	v := verify(t, file, o.trust())
	var places []int64
	for range 250 {
		places = append(places, random.Int64N(int64(len(file))))
	}
	for _, s := range v.Signatures {
		gapStart, gapEnd := s.ByteRange[1], s.ByteRange[2]
		for range 25 {
			places = append(places, gapStart+random.Int64N(gapEnd-gapStart))
		}
		places = append(places, gapStart-1, gapStart, gapStart+1, gapEnd-1, gapEnd, s.ByteRange[2]+s.ByteRange[3]-1)
	}
	places = append(places, 0, 5, 8, int64(len(file))-1, int64(len(file))-2)
	t.Logf("seed %d, %d places in %d bytes", seed, len(places), len(file))
	changed := bytes.Clone(file)
	for _, at := range places {
		flip := byte(1) << random.IntN(8)
		changed[at] ^= flip
		if v := verify(t, changed, o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("seed %d: byte %d changed from %#x to %#x, and it passes", seed, at, file[at], changed[at])
		}
		changed[at] = file[at]
	}
	// Another case of a hexadecimal digit is the same number, but not the same file.
	for _, s := range v.Signatures {
		for at := s.ByteRange[1]; at < s.ByteRange[2]; at++ {
			if file[at] >= 'a' && file[at] <= 'f' {
				changed[at] -= 'a' - 'A'
				if v := verify(t, changed, o.trust()); v.Outcome == bundle.Passed {
					t.Errorf("upper-case digit at %d, and it passes", at)
				}
				changed[at] = file[at]
				break
			}
		}
	}
}

func TestVerifyTruncatedOrExtended(t *testing.T) {
	o, _, file := standard(t)
	v := verify(t, file, o.trust())
	for _, cut := range []int{1, 2, 100, len(file) / 2, len(file) - 10} {
		if v := verify(t, file[:len(file)-cut], o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%d bytes cut, and it passes", cut)
		}
	}
	for _, s := range v.Signatures[:len(v.Signatures)-1] {
		if v := verify(t, file[:s.RevisionEnd], o.trust()); s.Field == v.Signatures[0].Field && v.Outcome == bundle.Passed {
			t.Error("without the seal, and it passes")
		}
	}
	for _, more := range []string{"\n", " ", "%", "\x00", "junk", "\n%%EOF\n"} {
		if v := verify(t, append(bytes.Clone(file), more...), o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%q appended, and it passes", more)
		}
	}
}

// A revision after the signatures shows another page or brings another attachment.
func TestVerifyLaterRevisions(t *testing.T) {
	o, _, file := standard(t)
	revise := func(change func(d *pdf.Document, u *pdf.Update)) []byte {
		d, err := pdf.Open(bytes.NewReader(file), int64(len(file)))
		if err != nil {
			t.Fatal(err)
		}
		u, err := pdf.NewUpdate(d)
		if err != nil {
			t.Fatal(err)
		}
		change(d, u)
		tail, err := u.Tail()
		if err != nil {
			t.Fatal(err)
		}
		return slices.Concat(file, tail.Bytes)
	}
	page := func(d *pdf.Document, n int) pdf.Page {
		i := 0
		for p, err := range d.Pages() {
			if err != nil {
				t.Fatal(err)
			}
			if i == n {
				return p
			}
			i++
		}
		t.Fatalf("no page %d", n)
		return pdf.Page{}
	}
	tests := map[string]func(d *pdf.Document, u *pdf.Update){
		"nothing": func(d *pdf.Document, u *pdf.Update) { u.Add(pdf.Dict{"Type": pdf.Name("Nothing")}) },
		"a page's content": func(d *pdf.Document, u *pdf.Update) {
			p := page(d, 3)
			changed := p.Dict.Clone()
			changed["Contents"] = u.Add(&pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT ET")})
			u.Set(p.Ref, changed)
		},
		"a page for another": func(d *pdf.Document, u *pdf.Update) {
			changed := page(d, 4).Dict.Clone()
			u.Set(page(d, 3).Ref, changed)
		},
		"the content stream itself": func(d *pdf.Document, u *pdf.Update) {
			contents := page(d, 2).Dict["Contents"]
			if list, ok := contents.(pdf.Array); ok {
				contents = list[0]
			}
			ref, ok := contents.(pdf.Ref)
			if !ok {
				t.Fatalf("contents are %T", contents)
			}
			u.Set(ref, &pdf.NewStream{Dict: pdf.Dict{}, Data: []byte("BT ET")})
		},
		"an attachment": func(d *pdf.Document, u *pdf.Update) {
			replaceAttachment(t, d, u, "001-party.member_slip-v2.pdf", []byte("%PDF-1.7 another"))
		},
		"all attachments gone": func(d *pdf.Document, u *pdf.Update) {
			catalog, err := d.Catalog()
			if err != nil {
				t.Fatal(err)
			}
			changed := catalog.Clone()
			delete(changed, "Names")
			delete(changed, "AF")
			u.Set(d.Root(), changed)
		},
	}
	for name, change := range tests {
		changed := revise(change)
		v := verify(t, changed, o.trust())
		if v.Outcome == bundle.Passed {
			t.Errorf("%s changed in a later revision, and it passes", name)
		}
		if name != "all attachments gone" && v.Outcome != bundle.Failed {
			t.Errorf("%s changed in a later revision: %s", name, tell(t, v))
		}
		if name == "nothing" {
			continue // what nobody refers to is nobody's harm once a time-stamp covers it
		}
		// Neither does another time-stamp over it help.
		tail, err := signing.DocumentTimestamp(t.Context(), bytes.NewReader(changed), int64(len(changed)), o.tsa)
		if err != nil {
			continue // the signer refuses it too
		}
		if v := verify(t, slices.Concat(changed, tail), o.trust()); v.Outcome == bundle.Passed {
			t.Errorf("%s changed in a later revision and time-stamped, and it passes", name)
		}
	}
}

// replaceAttachment gives the stream of an embedded file other content.
func replaceAttachment(t *testing.T, d *pdf.Document, u *pdf.Update, name string, content []byte) {
	t.Helper()
	_, spec := fileSpecification(t, d, name)
	ef, err := pdf.Get[pdf.Dict](d, spec["EF"])
	if err != nil {
		t.Fatal(err)
	}
	ref, ok := ef["F"].(pdf.Ref)
	if !ok {
		t.Fatalf("embedded file is %T", ef["F"])
	}
	u.Set(ref, &pdf.NewStream{Dict: pdf.Dict{"Type": pdf.Name("EmbeddedFile")}, Data: content})
}

// fileSpecification finds the object that names an attachment.
func fileSpecification(t *testing.T, d *pdf.Document, name string) (pdf.Ref, pdf.Dict) {
	t.Helper()
	for e := range d.Entries(0) {
		o, err := d.Object(e.Ref)
		if err != nil {
			t.Fatal(err)
		}
		spec, ok := o.(pdf.Dict)
		if !ok {
			continue
		}
		if uf, ok := spec["UF"].(pdf.String); ok && uf.Text() == name {
			return e.Ref, spec
		}
	}
	t.Fatalf("no file specification of %s", name)
	return pdf.Ref{}, nil
}

// A file that offers the same bytes as many attachments is refused before they are read again and again.
func TestVerifyOverlappingAttachments(t *testing.T) {
	o := newOffice(t, time.Now)
	base := build(t, newDossier(t, o.log, oneOfEach(t)[0]))
	d, err := pdf.Open(bytes.NewReader(base), int64(len(base)))
	if err != nil {
		t.Fatal(err)
	}
	u, err := pdf.NewUpdate(d)
	if err != nil {
		t.Fatal(err)
	}
	catalog, err := d.Catalog()
	if err != nil {
		t.Fatal(err)
	}
	files, err := d.Attachments()
	if err != nil {
		t.Fatal(err)
	}
	_, spec := fileSpecification(t, d, files[0].Name)
	listing, _ := fileSpecification(t, d, "dossier.txt")
	names := pdf.Array{pdf.Text("dossier.txt"), listing}
	for i := range 100 {
		copied := spec.Clone()
		name := pdf.Text(fmt.Sprintf("e%03d", i))
		copied["F"], copied["UF"] = name, name
		names = append(names, name, u.Add(copied))
	}
	changed := catalog.Clone()
	changed["Names"] = pdf.Dict{"EmbeddedFiles": pdf.Dict{"Names": names}}
	u.Set(d.Root(), changed)
	tail, err := u.Tail()
	if err != nil {
		t.Fatal(err)
	}
	file := slices.Concat(base, tail.Bytes)
	v := verify(t, file, o.trust())
	expect(t, v, bundle.Failed, "attachments_damaged")
	if len(v.Documents) > 0 {
		t.Error("overlapping attachments were judged one by one")
	}
}
