package vault

import (
	"bytes"
	"crypto/sha1" //nolint:gosec // the list is by it; nothing is kept safe by it
	"encoding/hex"
	"fmt"
	"io"
)

// BreachedPasswords is a list of passwords that attackers are known to try, which is asked without a network: a text file, as Have I Been Pwned
// publishes it, with a line for each of them, in the order of the lines, that begins with the SHA-1 of its UTF-8 in 40 upper-case hex digits, which ":"
// and a count may follow. It is searched where it lies: of many gigabytes some thirty lines are read. It may be asked by many at once.
type BreachedPasswords struct {
	file io.ReaderAt
	size int64
}

const (
	breachedHash = 2 * sha1.Size
	breachedLine = 64 // bytes at most, with its end
)

// OpenBreached opens a list. Its first and its last line are read; [ErrInvalid] if they are none of such a list, or in the wrong order.
func OpenBreached(file io.ReaderAt, size int64) (*BreachedPasswords, error) {
	b := &BreachedPasswords{file: file, size: size}
	first, _, _, err := b.lineAt(0, 0)
	if err != nil {
		return nil, err
	}
	last, _, _, err := b.lineAt(size-1, 0)
	if err != nil {
		return nil, err
	}
	if bytes.Compare(first, last) > 0 {
		return nil, fmt.Errorf("%w: the list of breached passwords is not in the order of its hashes", ErrInvalid)
	}
	return b, nil
}

// Contains reports whether the list has a password.
func (b *BreachedPasswords) Contains(password string) (bool, error) {
	sum := sha1.Sum([]byte(password)) //nolint:gosec // as the list has it
	want := bytes.ToUpper(hex.AppendEncode(nil, sum[:]))
	for low, high := int64(0), b.size; low < high; { // both are where a line begins, or the end
		hash, begin, end, err := b.lineAt(low+(high-low)/2, low)
		if err != nil {
			return false, err
		}
		switch bytes.Compare(hash, want) {
		case 0:
			return true, nil
		case -1:
			low = end
		default:
			high = begin
		}
	}
	return false, nil
}

// lineAt reads the hash of the line that the byte at offset is of, and where that line begins and ends. No line that matters begins before low.
func (b *BreachedPasswords) lineAt(offset, low int64) (hash []byte, begin, end int64, err error) {
	wrong := fmt.Errorf("%w: the list of breached passwords has no line of a hash at byte %d", ErrInvalid, offset)
	if offset < 0 {
		return nil, 0, 0, wrong
	}
	from := max(low, offset-breachedLine)
	buffer := make([]byte, min(b.size, offset+breachedLine)-from)
	if n, err := b.file.ReadAt(buffer, from); n < len(buffer) {
		return nil, 0, 0, fmt.Errorf("reading the list of breached passwords: %w", err)
	}
	at := int(offset - from)
	start := bytes.LastIndexByte(buffer[:at], '\n') + 1
	if start == 0 && from > low {
		return nil, 0, 0, wrong
	}
	line, _, _ := bytes.Cut(buffer[start:], []byte("\n"))
	end = from + int64(start+len(line)) + 1
	if len(line) >= breachedLine || end < b.size && start+len(line) == len(buffer) {
		return nil, 0, 0, wrong
	}
	hash, _, _ = bytes.Cut(bytes.TrimSuffix(line, []byte("\r")), []byte(":"))
	if len(hash) != breachedHash || len(bytes.Trim(hash, "0123456789ABCDEF")) != 0 {
		return nil, 0, 0, wrong
	}
	return hash, from + int64(start), min(end, b.size), nil
}
