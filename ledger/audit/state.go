package audit

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"trien/ledger"
	"trien/ledger/tiles"
)

const (
	stateFormat   = "trien/audit-state/v1"
	stateFile     = "state"
	maxStateBytes = 128 << 10
)

// state is what is kept between visits: the newest checkpoint, verbatim, the subtrees that make up its tree, and the statistics. The file reads
//
//	trien/audit-state/v1
//	count <format> <register> <leaves> <events>
//	peak <hash of a perfect subtree, hex>
//	                                            (empty line)
//	<checkpoint>
//
// The peaks have the checkpoint's root, and that is signed: a file that was damaged is refused.
type state struct {
	signed     []byte
	checkpoint ledger.Checkpoint
	peaks      []ledger.Hash
	counts     Counts
}

func (s state) known() bool { return s.signed != nil }

func (s state) text() []byte {
	var b bytes.Buffer
	fmt.Fprintln(&b, stateFormat)
	for _, c := range s.counts {
		b.WriteString(c.line())
	}
	for _, h := range s.peaks {
		fmt.Fprintf(&b, "peak %s\n", h)
	}
	fmt.Fprintln(&b)
	b.Write(s.signed)
	return b.Bytes()
}

// readState reads what was kept in dir; nothing, if nothing was. Errors wrap [ErrState].
func readState(dir string, p *ledger.Policy) (state, error) {
	f, err := os.Open(filepath.Join(dir, stateFile))
	if errors.Is(err, fs.ErrNotExist) {
		return state{}, nil
	}
	if err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	defer func() { _ = f.Close() }()
	text, err := io.ReadAll(io.LimitReader(f, maxStateBytes+1))
	if err != nil {
		return state{}, fmt.Errorf("%w: %w", ErrState, err)
	}
	s, err := parseState(text, p)
	if err != nil {
		return state{}, fmt.Errorf("%w: %s: %w", ErrState, f.Name(), err)
	}
	return s, nil
}

func parseState(text []byte, p *ledger.Policy) (s state, err error) {
	head, signed, found := bytes.Cut(text, []byte("\n\n"))
	if !found || len(text) > maxStateBytes {
		return s, fmt.Errorf("not a state file")
	}
	lines := strings.Split(string(head), "\n")
	if lines[0] != stateFormat {
		return s, fmt.Errorf("first line is not %q", stateFormat)
	}
	for _, line := range lines[1:] {
		if digits, is := strings.CutPrefix(line, "peak "); is {
			h, err := ledger.ParseHash(digits)
			if err != nil {
				return s, err
			}
			s.peaks = append(s.peaks, h)
			continue
		}
		c, err := parseCount(line)
		if err != nil {
			return s, err
		}
		s.counts = append(s.counts, c)
	}
	s.signed = bytes.Clone(signed)
	// Witnesses may have changed since; that the log signed it is what it is kept for.
	if s.checkpoint, err = p.OpenUnwitnessed(s.signed); err != nil {
		return s, err
	}
	var leaves uint64
	for _, c := range s.counts {
		leaves += c.Leaves
	}
	root, _, err := tiles.Roots(s.checkpoint.Size, s.checkpoint.Size, s.peaks, nil)
	if err != nil || root != s.checkpoint.Root || leaves != s.checkpoint.Size || !bytes.Equal(s.text(), text) {
		return s, fmt.Errorf("it was changed")
	}
	return s, nil
}

// write replaces the state file, durably: a crash leaves the old one or the new one.
func (s state) write(dir string) error {
	if err := WriteFile(filepath.Join(dir, stateFile), s.text()); err != nil {
		return fmt.Errorf("%w: %w", ErrState, err)
	}
	return nil
}

// WriteFile puts data under a name in a folder that is there, durably, in the place of what was there before. A crash leaves the one or the
// other, and perhaps a file beside it whose name begins with a dot. Anybody may read it.
func WriteFile(path string, data []byte) error {
	dir := filepath.Dir(path)
	tmp, err := os.CreateTemp(dir, ".new-*")
	if err != nil {
		return err
	}
	defer func() { _ = os.Remove(tmp.Name()) }() // gone under this name where all went well
	_, err = tmp.Write(data)
	err = errors.Join(err, tmp.Chmod(0o644), tmp.Sync(), tmp.Close())
	if err == nil {
		err = os.Rename(tmp.Name(), path)
	}
	if err != nil {
		return err
	}
	d, err := os.Open(dir)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}
