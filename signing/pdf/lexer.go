package pdf

import (
	"errors"
	"io"
)

// lexer walks over the characters of a file, or of a decoded object stream. It is a value: a copy is a bookmark to come back to.
type lexer struct {
	src  *source // nil: data is all there is
	data []byte
	pos  int
	base int64 // offset of data[0]
	err  error // of reading; seen as the end of the file
}

func newLexer(src *source, off int64) lexer { return lexer{src: src, base: off} }

// memoryLexer reads data alone; offsets count from its start.
func memoryLexer(data []byte) lexer { return lexer{data: data} }

func (l *lexer) offset() int64 { return l.base + int64(l.pos) }

func (l *lexer) fill() bool {
	if l.src == nil || l.err != nil {
		return false
	}
	off := l.offset()
	data, err := l.src.view(off)
	if err != nil {
		if !errors.Is(err, io.EOF) || off < l.src.size {
			l.err = err
		}
		return false
	}
	l.data, l.base, l.pos = data, off, 0
	return true
}

// peek returns the next character; false at the end.
func (l *lexer) peek() (byte, bool) {
	if l.pos == len(l.data) && !l.fill() {
		return 0, false
	}
	return l.data[l.pos], true
}

func (l *lexer) next() (byte, bool) {
	c, ok := l.peek()
	if ok {
		l.pos++
	}
	return c, ok
}

// skipSpace passes white space and comments.
func (l *lexer) skipSpace() {
	for {
		c, ok := l.peek()
		switch {
		case !ok:
			return
		case isSpace(c):
			l.pos++
		case c == '%':
			l.skipComment()
		default:
			return
		}
	}
}

// skipBlank passes white space only: a comment such as %%EOF may matter.
func (l *lexer) skipBlank() {
	for {
		c, ok := l.peek()
		if !ok || !isSpace(c) {
			return
		}
		l.pos++
	}
}

func (l *lexer) skipComment() {
	for {
		c, ok := l.peek()
		if !ok || c == '\n' || c == '\r' {
			return
		}
		l.pos++
	}
}

// accept passes s if it stands next.
func (l *lexer) accept(s string) bool {
	mark := *l
	for i := 0; i < len(s); i++ {
		if c, ok := l.next(); !ok || c != s[i] {
			err := l.err
			*l = mark
			l.err = err
			return false
		}
	}
	return true
}

// keyword passes s if it stands next as a whole word.
func (l *lexer) keyword(s string) bool {
	mark := *l
	if !l.accept(s) {
		return false
	}
	if c, ok := l.peek(); ok && !isSpace(c) && !isDelimiter(c) {
		*l = mark
		return false
	}
	return true
}

// unsigned reads white space and a number of digits only.
func (l *lexer) unsigned() (int64, bool) {
	l.skipSpace()
	mark := *l
	var n int64
	digits := 0
	for {
		c, ok := l.peek()
		if !ok || c < '0' || c > '9' {
			break
		}
		if digits++; digits > 18 {
			*l = mark
			return 0, false
		}
		n = n*10 + int64(c-'0')
		l.pos++
	}
	if c, ok := l.peek(); digits == 0 || ok && !isSpace(c) && !isDelimiter(c) {
		err := l.err
		*l = mark
		l.err = err
		return 0, false
	}
	return n, true
}
