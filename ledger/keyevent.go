package ledger

import (
	"fmt"
	"strings"
	"time"

	"golang.org/x/mod/sumdb/note"
)

// KeyLeafFormat is the first line of the leaf of a key event.
const KeyLeafFormat = "trien/key/v1"

const keyTimeLayout = "2006-01-02T15:04:05.000000Z"

// KeyEvent says that a log goes on under another key. The first checkpoint that covers its leaf is signed by both keys, later
// ones by the new key alone.
type KeyEvent struct {
	Old, New string    // vkeys of the log, of one name
	Time     time.Time // UTC, microseconds
}

// Leaf is "trien/key/v1\nold <vkey>\nnew <vkey>\ntime <time>\n". Errors wrap [ErrMalformed].
func (e KeyEvent) Leaf() (Leaf, error) {
	if err := e.check(); err != nil {
		return nil, fmt.Errorf("%w: key event: %w", ErrMalformed, err)
	}
	return Leaf(fmt.Sprintf("%s\nold %s\nnew %s\ntime %s\n", KeyLeafFormat, e.Old, e.New, e.Time.Format(keyTimeLayout))), nil
}

func (e KeyEvent) check() error {
	var names [2]string
	for i, vkey := range [2]string{e.Old, e.New} {
		k, err := parseVerifierKey(vkey)
		if err != nil {
			return err
		}
		names[i] = k.name
	}
	switch {
	case names[0] != names[1]:
		return fmt.Errorf("the keys are of two logs")
	case e.Old == e.New:
		return fmt.Errorf("the key stays the same")
	case e.Time.Location() != time.UTC || !e.Time.Equal(e.Time.Truncate(time.Microsecond)) || e.Time.Year() < 1970 || e.Time.Year() > 9999:
		return fmt.Errorf("bad time")
	}
	return nil
}

// SignRotation signs the first tree that holds the leaf of a key event: with the new key, and then with the old one. Like
// [SignCheckpoint] it judges nothing.
func SignRotation(newer, older note.Signer, size uint64, root Hash) ([]byte, error) {
	c := Checkpoint{Origin: newer.Name(), Size: size, Root: root}
	signed, err := note.Sign(&note.Note{Text: c.NoteText()}, newer, older)
	if err != nil {
		return nil, fmt.Errorf("signing checkpoint: %w", err)
	}
	if _, err := parseSignedCheckpoint(signed); err != nil {
		return nil, err
	}
	return signed, nil
}

// ParseKeyLeaf accepts exactly what [KeyEvent.Leaf] writes. Errors wrap [ErrMalformed].
func ParseKeyLeaf(l Leaf) (KeyEvent, error) {
	bad := fmt.Errorf("%w: leaf is not a %s", ErrMalformed, KeyLeafFormat)
	lines := strings.Split(string(l), "\n")
	if len(lines) != 5 || lines[0] != KeyLeafFormat || lines[4] != "" {
		return KeyEvent{}, bad
	}
	var values [3]string
	for i, name := range [3]string{"old ", "new ", "time "} {
		value, ok := strings.CutPrefix(lines[i+1], name)
		if !ok {
			return KeyEvent{}, bad
		}
		values[i] = value
	}
	at, err := time.Parse(keyTimeLayout, values[2])
	if err != nil {
		return KeyEvent{}, bad
	}
	e := KeyEvent{Old: values[0], New: values[1], Time: at.UTC()}
	again, err := e.Leaf()
	if err != nil {
		return KeyEvent{}, err
	}
	if !again.Equal(l) {
		return KeyEvent{}, bad
	}
	return e, nil
}

// Identity is the identity of the event's entry: SHA-256("trien/identity/v1\nkey <new vkey>\n"). A key begins to sign once.
func (e KeyEvent) Identity() Hash { return SumHash([]byte(identityFormat + "\nkey " + e.New + "\n")) }
