package pdf

import (
	"bufio"
	"bytes"
	"io"
)

const (
	maxContentScan = 16 << 20 // how much of a page's content is looked at for its balance
	maxStates      = 1000     // readers keep far fewer
)

// balance tells how far a page's content leaves the stack of graphics states (operators q and Q): opened is how many states are left on it, below
// how many it takes off that it did not put there. Content that cannot be decoded counts as balanced.
func (d *Document) balance(contents Array) (opened, below int, err error) {
	var all []io.Reader
	for _, c := range contents {
		s, err := Get[*Stream](d, c)
		if err != nil {
			return 0, 0, err
		}
		if s == nil {
			continue
		}
		r, err := s.Decoded(maxContentScan)
		if err != nil {
			return 0, 0, onlyRead(err)
		}
		all = append(all, r, bytes.NewReader([]byte("\n"))) // streams part words (7.8.2)
	}
	scan := contentScan{r: bufio.NewReader(io.LimitReader(io.MultiReader(all...), maxContentScan))}
	for {
		word, err := scan.operator()
		switch {
		case err == io.EOF: //nolint:errorlint // bufio returns it bare
			return min(scan.depth-scan.lowest, maxStates), min(-scan.lowest, maxStates), nil
		case err != nil:
			return 0, 0, onlyRead(err)
		case word == "q":
			scan.depth++
		case word == "Q":
			scan.depth--
			scan.lowest = min(scan.lowest, scan.depth)
		case word == "ID":
			if err := scan.inlineImage(); err != nil && err != io.EOF { //nolint:errorlint // as above
				return 0, 0, onlyRead(err)
			}
		}
	}
}

// contentScan finds the words of a content stream that are outside strings, names and comments.
type contentScan struct {
	r             *bufio.Reader
	depth, lowest int
}

func (s *contentScan) operator() (string, error) {
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return "", err
		}
		switch {
		case c == '(':
			err = s.skipString()
		case c == '%':
			err = s.skipLine()
		case c == '/':
			_, err = s.word(nil)
		case isSpace(c), isDelimiter(c):
		default:
			return s.word([]byte{c})
		}
		if err != nil {
			return "", err
		}
	}
}

// word reads on to the next white space or delimiter; of a long word only its start is kept.
func (s *contentScan) word(b []byte) (string, error) {
	for {
		c, err := s.r.ReadByte()
		if err == io.EOF && len(b) > 0 {
			return string(b), nil
		}
		if err != nil {
			return "", err
		}
		if isSpace(c) || isDelimiter(c) {
			return string(b), s.r.UnreadByte()
		}
		if len(b) < 4 {
			b = append(b, c)
		}
	}
}

func (s *contentScan) skipString() error {
	for open := 1; open > 0; {
		c, err := s.r.ReadByte()
		if err != nil {
			return err
		}
		switch c {
		case '(':
			open++
		case ')':
			open--
		case '\\':
			if _, err := s.r.ReadByte(); err != nil {
				return err
			}
		}
	}
	return nil
}

func (s *contentScan) skipLine() error {
	for {
		c, err := s.r.ReadByte()
		if err != nil || c == '\n' || c == '\r' {
			return err
		}
	}
}

// inlineImage passes the data of an inline image: up to EI between white space.
func (s *contentScan) inlineImage() error {
	var last [4]byte
	for {
		c, err := s.r.ReadByte()
		if err != nil {
			return err
		}
		last = [4]byte{last[1], last[2], last[3], c}
		if isSpace(last[0]) && last[1] == 'E' && last[2] == 'I' && isSpace(last[3]) {
			return nil
		}
	}
}
