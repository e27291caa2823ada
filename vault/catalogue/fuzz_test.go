package catalogue

import (
	"strings"
	"testing"
)

// smallFile is a file with one of each thing. The built-in ones are too long for the fuzzer to make smaller.
const smallFile = `register: a
version: 1
label: &l {vi: a, en: a}
data_owner: *l
business_unit: *l
steward: *l
technical_contact: *l
subject: {show: shown}
sources: [{source: s, label: *l}]
kinds:
- {kind: a.k, label: *l, secrecy: secret, retention: 9y, readers: [owner], fields: [{field: f, label: *l, type: yes_no, source: s},
   {field: g, label: *l, type: date, when: {field: f, is: "true"}, before: as_basis, source: a}]}
chains:
- {event: create, basis: *l, start: &s {label: *l, unit: own, who: [head]}, steps: &t [{step: x, label: *l, act: approve, unit: own, who: [head],
   form: either, term: {days: 5, from: [received]}}]}
- {event: update, basis: *l, start: *s, steps: *t}
- {event: correct, basis: *l, start: *s, steps: *t}
duties: [{duty: d, label: *l, every_months: 3, unit: own, who: [head], basis: *l}]
`

// FuzzFile: whatever a file holds, it is understood or refused with its name, and what is understood has what is asked of it.
func FuzzFile(f *testing.F) {
	f.Add([]byte(smallFile))
	f.Add([]byte("register: x\nkinds:\n  - &a {kind: x.y, fields: [*a]}\n"))
	if _, err := build([]source{{"x/a.yaml", []byte(smallFile)}}); err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		c, err := build([]source{{"x/a.yaml", text}})
		if err != nil {
			if !strings.Contains(err.Error(), "x/a.yaml") {
				t.Fatalf("%v does not name the file", err)
			}
			return
		}
		for _, r := range c.Registers() {
			for _, k := range r.Kinds {
				if _, ok := r.Chain(Create, k.Kind); !ok || k.Label.Vi == "" || k.Label.En == "" {
					t.Fatalf("%+v", k)
				}
			}
		}
	})
}
