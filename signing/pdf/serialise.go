package pdf

import (
	"math"
	"slices"
	"strconv"
)

// AppendObject appends o as it stands in a file. The form is fixed: dictionary keys in byte order, strings in
// hexadecimal unless they are plain ASCII, so equal objects give equal bytes. A stream's data is not appended: it is written by [Update]
// and [Writer]; here a stream gives its dictionary.
func AppendObject(dst []byte, o Object) []byte { return appendObject(dst, o, nil) }

// appendObject tells mark where in dst the placeholders came to stand.
func appendObject(dst []byte, o Object, mark func(p Placeholder, at int)) []byte {
	switch o := o.(type) {
	case nil:
		return append(dst, "null"...)
	case Bool:
		return strconv.AppendBool(dst, bool(o))
	case Integer:
		return strconv.AppendInt(dst, int64(o), 10)
	case Real:
		return appendReal(dst, float64(o))
	case String:
		return appendString(dst, string(o))
	case Name:
		return appendName(dst, string(o))
	case Array:
		dst = append(dst, '[')
		for i, e := range o {
			if i > 0 {
				dst = append(dst, ' ')
			}
			dst = appendObject(dst, e, mark)
		}
		return append(dst, ']')
	case Dict:
		return appendDict(dst, o, mark)
	case Ref:
		return append(dst, o.String()...)
	case *Stream:
		return appendDict(dst, o.Dict, mark)
	case *NewStream:
		return appendDict(dst, o.Dict, mark)
	case Placeholder:
		if mark != nil {
			mark(o, len(dst))
		}
		return append(dst, o.Bytes...)
	}
	return dst
}

func appendDict(dst []byte, d Dict, mark func(p Placeholder, at int)) []byte {
	dst = append(dst, "<<"...)
	for _, k := range d.Keys() {
		dst = appendName(dst, string(k))
		dst = append(dst, ' ')
		dst = appendObject(dst, d[k], mark)
	}
	return append(dst, ">>"...)
}

// appendReal writes a number without an exponent, which PDF does not know; what is not finite becomes 0.
func appendReal(dst []byte, f float64) []byte {
	if math.IsNaN(f) || math.IsInf(f, 0) || math.Abs(f) < 1e-10 {
		return append(dst, '0')
	}
	n := len(dst)
	dst = strconv.AppendFloat(dst, f, 'f', -1, 64)
	// More digits than a reader keeps only make the file longer.
	if i := slices.Index(dst[n:], '.'); i >= 0 && len(dst)-n-i > 11 {
		dst = strconv.AppendFloat(dst[:n], f, 'f', 10, 64)
	}
	return dst
}

const hexDigits = "0123456789abcdef"

func appendString(dst []byte, s string) []byte {
	for i := 0; i < len(s); i++ {
		if s[i] < 0x20 || s[i] > 0x7e {
			dst = append(dst, '<')
			for j := 0; j < len(s); j++ {
				dst = append(dst, hexDigits[s[j]>>4], hexDigits[s[j]&15])
			}
			return append(dst, '>')
		}
	}
	dst = append(dst, '(')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c == '(' || c == ')' || c == '\\' {
			dst = append(dst, '\\')
		}
		dst = append(dst, s[i])
	}
	return append(dst, ')')
}

func appendName(dst []byte, s string) []byte {
	dst = append(dst, '/')
	for i := 0; i < len(s); i++ {
		if c := s[i]; c <= 0x20 || c > 0x7e || c == '#' || isDelimiter(c) {
			dst = append(dst, '#', hexDigits[c>>4], hexDigits[c&15])
		} else {
			dst = append(dst, c)
		}
	}
	return dst
}

func isDelimiter(c byte) bool {
	switch c {
	case '(', ')', '<', '>', '[', ']', '{', '}', '/', '%':
		return true
	}
	return false
}

func isSpace(c byte) bool {
	switch c {
	case 0, '\t', '\n', '\f', '\r', ' ':
		return true
	}
	return false
}
