package signing

import "testing"

// FuzzXMP: no packet crashes the reader, and one that is read says the same as itself.
func FuzzXMP(f *testing.F) {
	f.Add([]byte(`<?xpacket begin=""?><x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"><rdf:Description ` +
		`rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/" dc:format="a"><dc:title><rdf:Alt><rdf:li xml:lang="vi">b</rdf:li></rdf:Alt></dc:title>` +
		`<dc:a rdf:resource="c"/><dc:b rdf:parseType="Resource"><dc:c>d</dc:c></dc:b><dc:d dc:e="f"/></rdf:Description></rdf:RDF></x:xmpmeta>`))
	f.Add([]byte(`<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>`))
	f.Fuzz(func(t *testing.T, b []byte) {
		var p properties
		var err error
		bounded(t, len(b), inspectFactor, 1<<20, func() { p, err = parseXMP(b) })
		if err == nil && !p.sameButChanged(p) {
			t.Fatal("it differs from itself")
		}
	})
}
