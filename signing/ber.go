package signing

import (
	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Bounds on BER. Signers that stream their output nest some ten levels.
const (
	maxBERDepth    = 24
	maxBERElements = 20000
)

// fromBER rewrites a SEQUENCE of indefinite length as DER: definite lengths, and octet strings in one piece. Everything that has a definite length is kept as it
// is, since certificates and signed attributes must not change; what is none the better for it is refused by the parser of DER afterwards. It
// returns how many bytes were read.
func fromBER(raw []byte) (out []byte, length int, ok bool) {
	if len(raw) < 2 || raw[0] != 0x30 || raw[1] != indefinite || len(raw) > maxCMS {
		return nil, 0, false
	}
	r := berReader{in: raw}
	out, ok = r.element(0)
	return out, r.at, ok
}

const indefinite = 0x80

type berReader struct {
	in       []byte
	at       int
	elements int
}

// element reads one element and returns it with a definite length.
func (r *berReader) element(depth int) ([]byte, bool) {
	rest := r.in[r.at:]
	if r.elements++; depth > maxBERDepth || r.elements > maxBERElements || len(rest) < 2 || rest[0]&0x1f == 0x1f {
		return nil, false
	}
	tag := rest[0]
	const constructed = 0x20
	if rest[1] != indefinite {
		n, head, ok := derHead(rest)
		if !ok || n > len(rest)-head {
			return nil, false
		}
		if tag != byte(der.OCTET_STRING)|constructed {
			r.at += head + n
			return rest[:head+n], true
		}
		end := r.at + head + n
		r.at += head
		out, ok := r.children(tag, depth, func() bool { return r.at >= end })
		return out, ok && r.at == end
	}
	if tag&constructed == 0 {
		return nil, false
	}
	r.at += 2
	out, ok := r.children(tag, depth, func() bool { return r.at+2 <= len(r.in) && r.in[r.at] == 0 && r.in[r.at+1] == 0 })
	r.at += 2
	return out, ok && r.at <= len(r.in)
}

// children reads until end, joins the pieces of an octet string, and writes the whole.
func (r *berReader) children(tag byte, depth int, end func() bool) ([]byte, bool) {
	joined := tag == byte(der.OCTET_STRING)|0x20
	var content []byte
	for !end() {
		if r.at >= len(r.in) {
			return nil, false
		}
		child, ok := r.element(depth + 1)
		if !ok {
			return nil, false
		}
		if joined {
			in := cryptobyte.String(child)
			var piece cryptobyte.String
			if !in.ReadASN1(&piece, der.OCTET_STRING) {
				return nil, false
			}
			child = piece
		}
		content = append(content, child...)
	}
	if joined {
		tag = byte(der.OCTET_STRING)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.Tag(tag), func(b *cryptobyte.Builder) { b.AddBytes(content) })
	out, err := b.Bytes()
	return out, err == nil
}
