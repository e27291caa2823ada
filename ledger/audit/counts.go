package audit

import (
	"cmp"
	"fmt"
	"slices"
	"strconv"
	"strings"

	"trien/ledger"
)

const (
	otherFormat = "other"     // of no format known here
	badFormat   = "malformed" // says that it is of a known format and is not
	noRegister  = "-"
	// maxCounts bounds the statistics: a log has a few registers. What goes beyond is counted as one.
	maxCounts = 200
)

// Count is how many leaves of one format, and of one register where the format names one, a log has.
type Count struct {
	Format   string // "other": of no known format; "malformed": not what its first line says
	Register string // "-": the format names none
	Leaves   uint64
	Events   uint64 // that batches of access events say they hold
}

// Counts is sorted by format and register, each pair once.
type Counts []Count

func (c Counts) add(leaf ledger.Leaf) Counts {
	k := kindOf(leaf)
	i, found := slices.BinarySearchFunc(c, k, compareCounts)
	if !found && len(c) >= maxCounts {
		k.Format, k.Register = otherFormat, noRegister
		i, found = slices.BinarySearchFunc(c, k, compareCounts)
	}
	if !found {
		return slices.Insert(c, i, k)
	}
	c[i].Leaves += k.Leaves
	c[i].Events += k.Events
	return c
}

func compareCounts(a, b Count) int {
	return cmp.Or(strings.Compare(a.Format, b.Format), strings.Compare(a.Register, b.Register))
}

// Leaves is how many leaves there are of a format, in all registers.
func (c Counts) Leaves(format string) (n uint64) {
	for _, k := range c {
		if k.Format == format {
			n += k.Leaves
		}
	}
	return n
}

// Strange is how many leaves are of no known format, or not of the one they name.
func (c Counts) Strange() uint64 { return c.Leaves(otherFormat) + c.Leaves(badFormat) }

// kindOf is a count of one leaf.
func kindOf(leaf ledger.Leaf) Count {
	format, _, _ := strings.Cut(string(leaf), "\n")
	k := Count{Format: format, Register: noRegister, Leaves: 1}
	ok := true
	switch format {
	case ledger.VersionLeafFormat:
		register, _, err := ledger.ParseVersionLeaf(leaf)
		k.Register, ok = register, err == nil
	case ledger.DestructionLeafFormat:
		register, _, err := ledger.ParseDestructionLeaf(leaf)
		k.Register, ok = register, err == nil
	case ledger.BatchLeafFormat:
		n, _, err := ledger.ParseBatchLeaf(leaf)
		k.Events, ok = uint64(max(n, 0)), err == nil
	case ledger.KeyLeafFormat:
		_, err := ledger.ParseKeyLeaf(leaf)
		ok = err == nil
	default:
		k.Format = otherFormat
	}
	if !ok {
		return Count{Format: badFormat, Register: noRegister, Leaves: 1}
	}
	return k
}

func (c Count) line() string {
	return fmt.Sprintf("count %s %s %d %d\n", c.Format, c.Register, c.Leaves, c.Events)
}

func parseCount(line string) (Count, error) {
	fields := strings.Split(line, " ")
	if len(fields) != 5 || fields[0] != "count" {
		return Count{}, fmt.Errorf("not a count")
	}
	k := Count{Format: fields[1], Register: fields[2]}
	var err error
	if k.Leaves, err = strconv.ParseUint(fields[3], 10, 63); err != nil {
		return k, err
	}
	k.Events, err = strconv.ParseUint(fields[4], 10, 63)
	return k, err
}
