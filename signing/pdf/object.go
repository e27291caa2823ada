package pdf

import (
	"maps"
	"slices"
	"strconv"
)

// Object is a PDF object: nil (null), [Bool], [Integer], [Real], [String], [Name], [Array], [Dict] or [Ref]. Reading also
// yields *[Stream]; writing also takes *[NewStream] and [Placeholder]. What a [Document] returns may be cached: it must not be changed;
// use Clone.
type Object interface{ object() }

// Bool is true or false.
type Bool bool

// Integer is a number without a fraction.
type Integer int64

// Real is a number with a fraction.
type Real float64

// String holds the bytes of a string, unescaped. Text strings are converted by [Text] and [String.Text].
type String string

// Name is a name without its slash and with #xx resolved.
type Name string

// Array is a sequence of objects.
type Array []Object

// Dict is a dictionary. If a file repeats a key the last value is kept, as most readers do, and an [Anomaly] is noted.
type Dict map[Name]Object

// Ref refers to an indirect object.
type Ref struct {
	Num int // object number, from 1
	Gen int // generation, 0 to 65535
}

// NewStream is a stream to be written: Dict and Data as they are, /Length set.
type NewStream struct {
	Dict Dict
	Data []byte
}

// Placeholder is written byte for byte; [Tail.Span] tells where it stands in the file and [Tail.Patch] fills it in.
// Bytes must be a well-formed object, e.g. "<000…0>" or "[0 0000000000 …]".
type Placeholder struct {
	Name  string
	Bytes []byte
}

func (Bool) object()        {}
func (Integer) object()     {}
func (Real) object()        {}
func (String) object()      {}
func (Name) object()        {}
func (Array) object()       {}
func (Dict) object()        {}
func (Ref) object()         {}
func (*Stream) object()     {}
func (*NewStream) object()  {}
func (Placeholder) object() {}

// String returns the reference as it stands in a file, "12 0 R".
func (r Ref) String() string {
	return strconv.Itoa(r.Num) + " " + strconv.Itoa(r.Gen) + " R"
}

// Clone returns a copy of d that may be changed at its top level.
func (d Dict) Clone() Dict {
	if d == nil {
		return Dict{}
	}
	return maps.Clone(d)
}

// Clone returns a copy of a that may be changed at its top level.
func (a Array) Clone() Array { return slices.Clone(a) }

// Keys returns the keys of d in byte order.
func (d Dict) Keys() []Name {
	keys := make([]Name, 0, len(d))
	for k := range d {
		keys = append(keys, k)
	}
	slices.Sort(keys)
	return keys
}

// kindOf names the kind of an object for error texts.
func kindOf(o Object) string {
	switch o.(type) {
	case nil:
		return "null"
	case Bool:
		return "a boolean"
	case Integer, Real:
		return "a number"
	case String:
		return "a string"
	case Name:
		return "a name"
	case Array:
		return "an array"
	case Dict:
		return "a dictionary"
	case Ref:
		return "a reference"
	case *Stream, *NewStream:
		return "a stream"
	}
	return "a placeholder"
}
