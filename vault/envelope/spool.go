package envelope

import (
	"fmt"
	"io"
	"log/slog"
	"os"
)

// Spool is an encrypted scratch file, under a key that lives only in this process, for what must be read by range before
// it has a place (a stranger's PDF to verify). The file has no name and is gone when the process is, whatever ends it.
type Spool struct {
	file   *os.File
	key    DataKey
	w      io.WriteCloser
	size   countingWriter
	reader *Reader
}

type countingWriter struct {
	dst io.Writer
	n   int64
}

func (c *countingWriter) Write(p []byte) (int, error) {
	n, err := c.dst.Write(p)
	c.n += int64(n)
	return n, err
}

// spoolPlace is the associated data of every spool; its key is used for nothing else.
const spoolPlace = "trien/envelope/spool"

// NewSpool makes an empty one in dir; "" is the system's temporary folder. A crash within leaves at most an empty file there.
func NewSpool(dir string) (*Spool, error) {
	f, err := os.CreateTemp(dir, ".spool-*")
	if err != nil {
		return nil, fmt.Errorf("making a spool: %w", err)
	}
	if err := os.Remove(f.Name()); err != nil {
		_ = f.Close()
		return nil, fmt.Errorf("making a spool: %w", err)
	}
	s := &Spool{file: f, key: NewDataKey(), size: countingWriter{dst: f}}
	if s.w, err = NewWriter(&s.size, s.key, []byte(spoolPlace)); err != nil {
		_ = f.Close()
		return nil, err
	}
	return s, nil
}

// LogValue hides the spool's key.
func (*Spool) LogValue() slog.Value { return slog.StringValue("[spool]") }

// Write appends plaintext.
func (s *Spool) Write(p []byte) (int, error) { return s.w.Write(p) }

// Finish ends writing and returns what was written, to be read until Close. Calling it again returns the same.
func (s *Spool) Finish() (*Reader, error) {
	if s.reader != nil {
		return s.reader, nil
	}
	if err := s.w.Close(); err != nil {
		return nil, err
	}
	r, err := NewReader(s.file, s.size.n, s.key, []byte(spoolPlace))
	if err != nil {
		return nil, err
	}
	s.reader = r
	return r, nil
}

// Close frees the file. Closing twice is no error.
func (s *Spool) Close() error {
	if s.file == nil {
		return nil
	}
	err := s.file.Close()
	s.file, s.key = nil, DataKey{}
	if err != nil {
		return fmt.Errorf("closing a spool: %w", err)
	}
	return nil
}
