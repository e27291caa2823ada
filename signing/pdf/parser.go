package pdf

import (
	"math"
	"strconv"
)

// parser reads one object. Its limits are those of the object.
type parser struct {
	lexer
	start int64
	nodes int
	note  func(code string, off int64, text string)
}

func newParser(l lexer, note func(code string, off int64, text string)) *parser {
	return &parser{lexer: l, start: l.offset(), note: note}
}

// fail reports damage at the place reached, or the reading error that looked like an end.
func (p *parser) fail(text string) error {
	if p.err != nil {
		return p.err
	}
	return damagedf("%s at offset %d", text, p.offset())
}

func (p *parser) within(depth int) error {
	p.nodes++
	switch {
	case depth > maxDepth:
		return unsupportedf("object nested more than %d levels at offset %d", maxDepth, p.offset())
	case p.nodes > maxObjectNodes:
		return unsupportedf("object with more than %d elements at offset %d", maxObjectNodes, p.start)
	}
	return p.short()
}

func (p *parser) short() error {
	if p.offset()-p.start > maxObjectBytes {
		return unsupportedf("object longer than %d bytes at offset %d", maxObjectBytes, p.start)
	}
	return nil
}

// object parses an object; depth is that of the container.
func (p *parser) object(depth int) (Object, error) {
	if err := p.within(depth); err != nil {
		return nil, err
	}
	p.skipSpace()
	c, ok := p.peek()
	if !ok {
		return nil, p.fail("the file ends within an object")
	}
	switch {
	case c == '/':
		n, err := p.name()
		return n, err
	case c == '(':
		return p.literal()
	case c == '[':
		return p.array(depth)
	case c == '<':
		p.pos++
		if p.accept("<") {
			return p.dict(depth)
		}
		return p.hex()
	case c == '+' || c == '-' || c == '.' || c >= '0' && c <= '9':
		return p.numberOrRef()
	case p.keyword("true"):
		return Bool(true), nil
	case p.keyword("false"):
		return Bool(false), nil
	case p.keyword("null"):
		return nil, nil
	}
	return nil, p.fail("unexpected " + strconv.QuoteToASCII(string(rune(c))))
}

func (p *parser) array(depth int) (Object, error) {
	p.pos++
	a := Array{}
	for {
		p.skipSpace()
		if p.accept("]") {
			return a, nil
		}
		o, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		a = append(a, o)
	}
}

// dict parses what follows "<<".
func (p *parser) dict(depth int) (Object, error) {
	d := Dict{}
	nulls := false
	for {
		p.skipSpace()
		if p.accept(">>") {
			break
		}
		if c, ok := p.peek(); !ok || c != '/' {
			return nil, p.fail("dictionary key missing")
		}
		at := p.offset()
		k, err := p.name()
		if err != nil {
			return nil, err
		}
		v, err := p.object(depth + 1)
		if err != nil {
			return nil, err
		}
		if _, twice := d[k]; twice && p.note != nil {
			p.note("duplicate-key", at, "key /"+string(k)+" repeated in a dictionary")
		}
		nulls = nulls || v == nil
		d[k] = v
	}
	if nulls { // a null value is the same as no entry (7.3.7)
		for k, v := range d {
			if v == nil {
				delete(d, k)
			}
		}
	}
	return d, nil
}

func (p *parser) name() (Name, error) {
	p.pos++ // the slash
	var b []byte
	for {
		c, ok := p.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			return Name(b), nil
		}
		p.pos++
		if c == '#' {
			c = p.escapedNameChar()
		}
		if b = append(b, c); len(b) > maxNameBytes {
			return "", unsupportedf("name longer than %d bytes at offset %d", maxNameBytes, p.offset())
		}
	}
}

// escapedNameChar reads the two digits after '#'; without them the '#' stands for itself, as in files before PDF 1.2.
func (p *parser) escapedNameChar() byte {
	mark := p.lexer
	hi, ok1 := p.next()
	lo, ok2 := p.next()
	h, l := unhex(hi), unhex(lo)
	if !ok1 || !ok2 || h < 0 || l < 0 {
		p.lexer = mark
		return '#'
	}
	return byte(h<<4 | l)
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// hex parses a hexadecimal string after '<'.
func (p *parser) hex() (Object, error) {
	var b []byte
	high := -1
	for {
		if high < 0 {
			b = p.hexPairs(b)
		}
		c, ok := p.next()
		if !ok {
			return nil, p.fail("the file ends within a string")
		}
		if c == '>' {
			break
		}
		if isSpace(c) {
			continue
		}
		h := unhex(c)
		if h < 0 {
			return nil, p.fail("not a hexadecimal digit")
		}
		if high < 0 {
			high = h
			continue
		}
		b = append(b, byte(high<<4|h))
		high = -1
		if err := p.short(); err != nil {
			return nil, err
		}
	}
	if high >= 0 {
		b = append(b, byte(high<<4))
	}
	return String(b), nil
}

// hexPairs takes what stands at hand without blanks: containers of signatures are long.
func (p *parser) hexPairs(b []byte) []byte {
	for p.pos+1 < len(p.data) {
		hi, lo := unhex(p.data[p.pos]), unhex(p.data[p.pos+1])
		if hi < 0 || lo < 0 {
			break
		}
		b = append(b, byte(hi<<4|lo))
		p.pos += 2
	}
	return b
}

// literal parses a string in parentheses.
func (p *parser) literal() (Object, error) {
	p.pos++
	var b []byte
	for open := 1; ; {
		c, ok := p.next()
		if !ok {
			return nil, p.fail("the file ends within a string")
		}
		switch c {
		case '(':
			open++
		case ')':
			if open--; open == 0 {
				return String(b), nil
			}
		case '\\':
			var keep bool
			if c, keep = p.escape(); !keep {
				continue
			}
		case '\r': // any end of line is a line feed (7.3.4.2)
			p.accept("\n")
			c = '\n'
		}
		b = append(b, c)
		if err := p.short(); err != nil {
			return nil, err
		}
	}
}

// escape reads what follows a backslash; false if it stands for no character.
func (p *parser) escape() (byte, bool) {
	c, ok := p.next()
	if !ok {
		return 0, false
	}
	switch c {
	case 'n':
		return '\n', true
	case 'r':
		return '\r', true
	case 't':
		return '\t', true
	case 'b':
		return '\b', true
	case 'f':
		return '\f', true
	case '\n':
		return 0, false
	case '\r':
		p.accept("\n")
		return 0, false
	}
	if c < '0' || c > '7' {
		return c, true
	}
	n := int(c - '0')
	for range 2 {
		d, ok := p.peek()
		if !ok || d < '0' || d > '7' {
			break
		}
		n = n<<3 | int(d-'0')
		p.pos++
	}
	return byte(n), true
}

func (p *parser) numberOrRef() (Object, error) {
	o, err := p.number()
	n, whole := o.(Integer)
	if err != nil || !whole || n < 0 || n > maxObjectNumber {
		return o, err
	}
	mark := p.lexer
	if gen, ok := p.unsigned(); ok && gen <= math.MaxUint16 {
		p.skipSpace()
		if p.keyword("R") {
			if n == 0 {
				return nil, nil // object 0 is always free
			}
			return Ref{Num: int(n), Gen: int(gen)}, nil
		}
	}
	err = p.err
	p.lexer = mark
	p.err = err
	return o, nil
}

func (p *parser) number() (Object, error) {
	var text [48]byte
	n := 0
	whole := true
	for {
		c, ok := p.peek()
		if !ok || isSpace(c) || isDelimiter(c) {
			break
		}
		if n == len(text) {
			return nil, p.fail("number too long")
		}
		whole = whole && c != '.'
		text[n] = c
		n++
		p.pos++
	}
	s := string(text[:n])
	if whole {
		if i, err := strconv.ParseInt(s, 10, 64); err == nil {
			return Integer(i), nil
		}
	}
	for _, c := range []byte(s[1:]) {
		if (c < '0' || c > '9') && c != '.' {
			return nil, p.fail("malformed number")
		}
	}
	if s == "." || s == "-" || s == "+" || s == "-." {
		return Real(0), nil // seen in the wild, read as zero by everyone
	}
	f, err := strconv.ParseFloat(s, 64)
	if err != nil && !math.IsInf(f, 0) {
		return nil, p.fail("malformed number")
	}
	return Real(f), nil
}
