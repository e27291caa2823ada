package pdf

import (
	"errors"
	"reflect"
	"strings"
	"testing"
)

func parse(s string) (Object, error) {
	p := newParser(memoryLexer([]byte(s)), nil)
	return p.object(0)
}

func TestParse(t *testing.T) {
	for text, want := range map[string]Object{
		"null":                            nil,
		"true":                            Bool(true),
		"false":                           Bool(false),
		"  % comment\n 12":                Integer(12),
		"-7":                              Integer(-7),
		"+7":                              Integer(7),
		"1.5":                             Real(1.5),
		"-.25":                            Real(-0.25),
		"4.":                              Real(4),
		"-":                               Real(0),
		"99999999999999999999":            Real(1e20),
		"3 0 R":                           Ref{Num: 3},
		"3 65535 R":                       Ref{Num: 3, Gen: 65535},
		"0 0 R":                           nil,
		"3 0 Rx":                          Integer(3),
		"/Name":                           Name("Name"),
		"/":                               Name(""),
		"/A#20B#2":                        Name("A B#2"),
		"/A#zz":                           Name("A#zz"),
		"(a(b)c)":                         String("a(b)c"),
		`(\n\r\t\b\f\(\)\\\x\101\7\0534)`: String("\n\r\t\b\f()\\xA\x07+4"),
		"(a\\\nb\\\r\nc\r\nd\re)":         String("abc\nd\ne"),
		"<48 65\n6C6c6F>":                 String("Hello"),
		"<4>":                             String("@"),
		"<>":                              String(""),
		"[1 0 R 2 3(x)/N[]<<>>]":          Array{Ref{Num: 1}, Integer(2), Integer(3), String("x"), Name("N"), Array{}, Dict{}},
		"<</A 1/B/C/D null/E<</F 2>>>>":   Dict{"A": Integer(1), "B": Name("C"), "E": Dict{"F": Integer(2)}},
		"<</A 1/A 2>>":                    Dict{"A": Integer(2)},
		"<</A null/A 2>>":                 Dict{"A": Integer(2)},
		"[1 2 3 R]":                       Array{Integer(1), Ref{Num: 2, Gen: 3}},
	} {
		got, err := parse(text)
		if err != nil || !reflect.DeepEqual(got, want) {
			t.Errorf("%q: %#v, %v; want %#v", text, got, err, want)
		}
	}
	for _, text := range []string{
		"", "[", "[1", "<<", "<</A", "<</A>>", "<<1 2>>", "<</A 1", "(a", "<4", "<4g>", "nul", "truex", "1.2.3", "1x", "--1", "}", ")", ">", "]",
		"1e5", "(\\", "R", "endobj",
	} {
		if o, err := parse(text); !errors.Is(err, ErrDamaged) {
			t.Errorf("%q: %#v, %v", text, o, err)
		}
	}
}

// TestSerialise: what is written reads back as it was.
func TestSerialise(t *testing.T) {
	for _, c := range []struct {
		o    Object
		want string
	}{
		{nil, "null"},
		{Bool(true), "true"},
		{Integer(-5), "-5"},
		{Real(0.1), "0.1"},
		{Real(1e-20), "0"},
		{Real(123456789.125), "123456789.125"},
		{Real(1.0 / 3), "0.3333333333"},
		{String(`a(b\)`), `(a\(b\\\))`},
		{String("\x00\xffA"), "<00ff41>"},
		{Name("A B#(/é"), "/A#20B#23#28#2f#c3#a9"},
		{Ref{Num: 5, Gen: 2}, "5 2 R"},
		{Array{Integer(1), Name("X"), nil}, "[1 /X null]"},
		{Dict{"B": Integer(2), "A": Dict{}}, "<</A <<>>/B 2>>"},
		{Text("Hồ"), "<feff00481ed3>"},
	} {
		b := AppendObject(nil, c.o)
		if string(b) != c.want {
			t.Errorf("%#v: %s, want %s", c.o, b, c.want)
		}
		back, err := parse(string(b))
		if r, ok := c.o.(Real); ok && (r < 1e-9 || c.want == "0.3333333333") {
			continue
		}
		if err != nil || !reflect.DeepEqual(back, c.o) {
			t.Errorf("%s reads back as %#v, %v", b, back, err)
		}
	}
}

func TestText(t *testing.T) {
	for _, s := range []string{"", "plain", "Nguyễn Thị Ĩ)(\\", "𠮷 beyond the plane", "tab\tand\nline"} {
		if got := Text(s).Text(); got != s {
			t.Errorf("%q became %q", s, got)
		}
	}
	for raw, want := range map[String]string{
		"\xff\xfeA\x00":         "A",
		"\xef\xbb\xbfHồ sơ":     "Hồ sơ",
		"\x80\xa0\x18caf\xe9":   "•€˘café",
		"\xfe\xff\x00A\x00":     "A",
		"\xef\xbb\xbf\xff":      "\ufffd",
		"\xfe\xff\xd8\x00\x00A": "\ufffdA",
	} {
		if got := raw.Text(); got != want {
			t.Errorf("%q: %q, want %q", string(raw), got, want)
		}
	}
}

// TestDeepNesting stops before the stack does.
func TestDeepNesting(t *testing.T) {
	for _, open := range []string{"[", "<</A "} {
		if _, err := parse(strings.Repeat(open, 1<<20)); !errors.Is(err, ErrUnsupported) {
			t.Errorf("%s: %v", open, err)
		}
	}
}

func TestNumberMap(t *testing.T) {
	var m numberMap
	if m.get(5) != 0 || m.get(-1) != 0 {
		t.Error("an empty map holds something")
	}
	m.set(maxObjectNumber, 7)
	m.set(0, 3)
	if m.get(maxObjectNumber) != 7 || m.get(0) != 3 || m.get(4096) != 0 || m.get(maxObjectNumber+1) != 0 {
		t.Error("wrong numbers")
	}
}
