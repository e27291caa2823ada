package witness

import (
	"bytes"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/transparency-dev/formats/log"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/sys/unix"

	"trien/ledger"
)

// state is a checkpoint that a log signed and that is co-signed, or is about to be. Without a note it stands for a log of
// which nothing was seen yet.
type state struct {
	ledger.Checkpoint
	text string // what the log signed
	note []byte // the log's signatures and, once co-signed, ours
}

// originOf is the first line of a note.
func originOf(n []byte) string {
	origin, _, _ := bytes.Cut(n, []byte("\n"))
	return string(origin)
}

// openState judges a note by the keys of its log. Signatures by other keys are dropped; extension lines stay, as part of what
// is signed. Errors wrap [ledger.ErrPolicy] if no signature holds, else [ledger.ErrMalformed].
func openState(raw []byte, l *witnessed) (*state, error) {
	n, err := note.Open(raw, l.keys)
	var unverified *note.UnverifiedNoteError
	var invalid *note.InvalidSignatureError
	switch {
	case errors.As(err, &unverified), errors.As(err, &invalid):
		return nil, fmt.Errorf("%w: no signature by a key of the log holds", ledger.ErrPolicy)
	case err != nil:
		return nil, fmt.Errorf("%w: %w", ledger.ErrMalformed, err)
	}
	var c log.Checkpoint
	extensions, err := c.Unmarshal([]byte(n.Text))
	if err != nil || len(c.Hash) != len(ledger.Hash{}) {
		return nil, fmt.Errorf("%w: not a checkpoint", ledger.ErrMalformed)
	}
	if _, err := parseSize(fmt.Sprint(c.Size)); err != nil || string(c.Marshal())+string(extensions) != n.Text || c.Origin != l.origin {
		return nil, fmt.Errorf("%w: not the canonical text of a checkpoint", ledger.ErrMalformed)
	}
	if bytes.HasPrefix(extensions, []byte("\n")) || bytes.Contains(extensions, []byte("\n\n")) {
		return nil, fmt.Errorf("%w: an empty extension line", ledger.ErrMalformed)
	}
	clean, err := note.Sign(&note.Note{Text: n.Text, Sigs: n.Sigs})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ledger.ErrMalformed, err)
	}
	return &state{Checkpoint: ledger.Checkpoint{Origin: c.Origin, Size: c.Size, Root: ledger.Hash(c.Hash)}, text: n.Text, note: clean}, nil
}

// stateDir keeps one file for each log, and a lock: two servers over one folder would co-sign two histories.
type stateDir struct {
	path string
	lock *os.File
}

func openStateDir(path string) (*stateDir, error) {
	lock, err := os.OpenFile(filepath.Join(path, "lock"), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return nil, fmt.Errorf("opening the witness's state: %w", err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		return nil, errors.Join(fmt.Errorf("%w: %s: %w", ErrInUse, path, err), lock.Close())
	}
	return &stateDir{path, lock}, nil
}

func (d *stateDir) close() error { return d.lock.Close() }

func (d *stateDir) file(l *witnessed) string {
	return filepath.Join(d.path, originHash(l.origin)+".checkpoint")
}

// read returns what was co-signed last of a log. A file that its log did not sign is an error wrapping [ledger.ErrTampered]:
// to begin anew over it would be to forget.
func (d *stateDir) read(l *witnessed) (*state, error) {
	raw, err := os.ReadFile(d.file(l))
	if errors.Is(err, fs.ErrNotExist) {
		return &state{Checkpoint: ledger.Checkpoint{Origin: l.origin, Root: ledger.EmptyRoot()}}, nil
	}
	if err != nil {
		return nil, fmt.Errorf("reading the witness's state: %w", err)
	}
	s, err := openState(raw, l)
	if err != nil {
		return nil, fmt.Errorf("%w: the witness's state of log %q is not signed by a key in its policy: %w", ledger.ErrTampered, l.origin, err)
	}
	s.note = raw // with our own line
	return s, nil
}

// write replaces what was co-signed last. A crash leaves the old file or the new one, whole; after a nil error it is the new one.
func (d *stateDir) write(l *witnessed, s *state) error {
	tmp, err := writeTemp(d.path, s.note)
	if err == nil {
		err = os.Rename(tmp, d.file(l))
	}
	if err == nil {
		return d.sync()
	}
	return fmt.Errorf("writing the witness's state: %w", errors.Join(err, removeIfThere(tmp)))
}

// keepFork keeps the first pair of checkpoints with which a log contradicted itself: the one that was co-signed and the
// one that was refused.
func (d *stateDir) keepFork(l *witnessed, refused *state) error {
	path := strings.TrimSuffix(d.file(l), ".checkpoint") + ".fork"
	tmp, err := writeTemp(d.path, bytes.Join([][]byte{l.latest.note, refused.note}, []byte("\n")))
	if err != nil {
		return err
	}
	if err = os.Link(tmp, path); errors.Is(err, fs.ErrExist) {
		err = nil // the first one stays
	}
	return errors.Join(err, removeIfThere(tmp), d.sync())
}

// writeTemp makes a new file, durable but for its name.
func writeTemp(dir string, text []byte) (path string, err error) {
	f, err := os.CreateTemp(dir, ".new-*") // mode 0600
	if err != nil {
		return "", err
	}
	_, err = f.Write(text)
	return f.Name(), errors.Join(err, f.Sync(), f.Close())
}

// removeIfThere: a temporary file that a crash leaves is nobody's state.
func removeIfThere(path string) error {
	if err := os.Remove(path); path != "" && !errors.Is(err, fs.ErrNotExist) {
		return err
	}
	return nil
}

func (d *stateDir) sync() error {
	f, err := os.Open(d.path)
	if err != nil {
		return err
	}
	return errors.Join(f.Sync(), f.Close())
}
