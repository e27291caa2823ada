package audit

import (
	"bufio"
	"bytes"
	"errors"
	"fmt"
	"io"
	"iter"
	"math"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"

	"trien/ledger"
)

// InventoryFormat is the first line of an inventory.
const InventoryFormat = "trien/inventory/v1"

const (
	inventoryTime    = "2006-01-02T15:04:05.000000Z"
	maxInventoryLine = 400
)

// RowKind says what became of a version.
type RowKind string

// The kinds of rows, in the order in which they may stand: all pending rows come first.
const (
	Pending   RowKind = "pending"   // the vault has no receipt yet
	Kept      RowKind = "version"   // logged, with its receipt
	Destroyed RowKind = "destroyed" // logged, and its content destroyed by a decision that is logged too
)

// Row is one version as the vault knows it.
type Row struct {
	Kind    RowKind
	Version uuid.UUID
	Leaf    ledger.Hash // its leaf's hash
	Index   uint64      // in the log; not of a pending row
	Decided uint64      // index of the leaf of the destruction, of a destroyed row
	Time    time.Time   // when it was made, in whole microseconds, of a pending row
}

// Inventory lists all versions of a vault: first what is pending, then everything else by index. Its text is
//
//	trien/inventory/v1
//	origin <origin of the log>
//	made <time>
//	size <size of the log that it was made for>
//	pending <version> <leaf hash> <time>
//	version <version> <leaf hash> <index>
//	destroyed <version> <leaf hash> <index> <index of the destruction>
//	end <number of rows>
//
// with ids and hashes in lower-case hex. It holds no names and no salts: who has it learns which leaf is which version's, and no content.
type Inventory struct {
	Origin string
	Made   time.Time // whole microseconds
	Size   uint64    // of a signed tree that was published before the rows were read: up to it the list is complete
	Rows   iter.Seq2[Row, error]
}

func (r Row) line() string {
	switch r.Kind {
	case Pending:
		return fmt.Sprintf("pending %s %s %s\n", r.Version, r.Leaf, r.Time.UTC().Format(inventoryTime))
	case Destroyed:
		return fmt.Sprintf("destroyed %s %s %d %d\n", r.Version, r.Leaf, r.Index, r.Decided)
	default:
		return fmt.Sprintf("version %s %s %d\n", r.Version, r.Leaf, r.Index)
	}
}

// WriteInventory writes the text of i as its rows come.
func WriteInventory(w io.Writer, i Inventory) error {
	b := bufio.NewWriter(w)
	fmt.Fprintf(b, "%s\norigin %s\nmade %s\nsize %d\n", InventoryFormat, i.Origin, i.Made.UTC().Format(inventoryTime), i.Size)
	n := 0
	for row, err := range i.Rows {
		if err != nil {
			return err
		}
		// What it could not write, it says at the end.
		_, _ = b.WriteString(row.line())
		n++
	}
	fmt.Fprintf(b, "end %d\n", n)
	return b.Flush()
}

// ReadInventory reads the head of an inventory, and its rows as they are asked for, once. Each line must be in the one form that
// [WriteInventory] gives it; their order is not judged here. Errors, also those of the rows, wrap [ledger.ErrMalformed] unless r fails.
func ReadInventory(r io.Reader) (Inventory, error) {
	lines := bufio.NewScanner(r)
	lines.Buffer(make([]byte, 0, maxInventoryLine), maxInventoryLine)
	lines.Split(wholeLines)
	number := 0
	line := func() (string, error) {
		number++
		if lines.Scan() {
			return lines.Text(), nil
		}
		if err := lines.Err(); errors.Is(err, bufio.ErrTooLong) {
			return "", fmt.Errorf("%w: inventory line %d is too long", ledger.ErrMalformed, number)
		} else if err != nil {
			return "", fmt.Errorf("reading the inventory, line %d: %w", number, err)
		}
		return "", fmt.Errorf("%w: inventory line %d: it ends here", ledger.ErrMalformed, number)
	}
	bad := func() error {
		return fmt.Errorf("%w: inventory line %d is not what it should be", ledger.ErrMalformed, number)
	}
	var head [4]string
	for i := range head {
		var err error
		if head[i], err = line(); err != nil {
			return Inventory{}, err
		}
	}
	origin, named := strings.CutPrefix(head[1], "origin ")
	made, err := time.Parse("made "+inventoryTime, head[2])
	size, sizeErr := strconv.ParseUint(strings.TrimPrefix(head[3], "size "), 10, 63)
	if head[0] != InventoryFormat || !named || err != nil || made.Format("made "+inventoryTime) != head[2] ||
		sizeErr != nil || head[3] != fmt.Sprintf("size %d", size) {
		return Inventory{}, fmt.Errorf("%w: not an inventory", ledger.ErrMalformed)
	}
	rows := func(yield func(Row, error) bool) {
		for n := 0; ; n++ {
			text, err := line()
			if err == nil && strings.HasPrefix(text, "end ") {
				if text != fmt.Sprintf("end %d", n) || lines.Scan() || lines.Err() != nil {
					yield(Row{}, bad())
				}
				return
			}
			var row Row
			if err == nil {
				if row, err = parseRow(text); err != nil {
					err = bad()
				}
			}
			if !yield(row, err) || err != nil {
				return
			}
		}
	}
	return Inventory{Origin: origin, Made: made, Size: size, Rows: rows}, nil
}

// wholeLines gives lines that end in a newline, and none after the last newline.
func wholeLines(data []byte, atEnd bool) (advance int, token []byte, err error) {
	if i := bytes.IndexByte(data, '\n'); i >= 0 {
		return i + 1, data[:i], nil
	}
	if atEnd && len(data) > 0 {
		return 0, nil, fmt.Errorf("%w: the last line does not end", ledger.ErrMalformed)
	}
	return 0, nil, nil
}

func parseRow(line string) (r Row, err error) {
	fields := strings.Split(line, " ")
	r.Kind = RowKind(fields[0])
	if want := map[RowKind]int{Pending: 4, Kept: 4, Destroyed: 5}[r.Kind]; len(fields) != want {
		return r, fmt.Errorf("not a row")
	}
	if r.Version, err = uuid.Parse(fields[1]); err != nil {
		return r, err
	}
	if r.Leaf, err = ledger.ParseHash(fields[2]); err != nil {
		return r, err
	}
	switch r.Kind {
	case Pending:
		r.Time, err = time.Parse(inventoryTime, fields[3])
	case Destroyed:
		if r.Decided, err = strconv.ParseUint(fields[4], 10, 63); err != nil {
			return r, err
		}
		fallthrough
	default:
		r.Index, err = strconv.ParseUint(fields[3], 10, 63)
	}
	if err == nil && (r.line() != line+"\n" || r.Index == math.MaxInt64) {
		err = fmt.Errorf("another form of a row")
	}
	return r, err
}
