package vault

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"
	"unicode/utf8"
)

// Bounds of one import of units.
const (
	MaxUnitImport      = 8 << 20 // bytes
	MaxUnitImportLines = 20_000
)

// UnitImport says what an import of units did, or would do.
type UnitImport struct {
	Lines       int // of units, without the heading
	Established int
	Unchanged   int // units that stand as their lines say
	Refused     []RefusedUnit
	Applied     bool // all of it stands; else nothing does
}

// RefusedUnit is a line that cannot be imported.
type RefusedUnit struct {
	Line int // of the file, from 1
	Code string
	Err  error // of the kinds that acts on units have
}

// The columns of a file of units, in Vietnamese, with or without diacritics, or in English.
var unitColumns = []struct{ vi, en string }{
	{"mã đơn vị", "code"}, {"tên đơn vị", "name"}, {"cấp", "level"}, {"mã đơn vị cấp trên", "parent"}, {"ngày thành lập", "established"},
	{"số quyết định", "decision"}, {"ngày quyết định", "decided"},
}

// unitLine is one line of a file of units.
type unitLine struct {
	line int
	act  NewUnitAct
	err  error // that it cannot be read
}

// ImportUnits establishes the units of a table in CSV, all or none: with a line that cannot be, nothing is done and every such line is named.
// Dry, it does nothing and says what it would do.
//
// The file is UTF-8 with or without a byte order mark, of up to [MaxUnitImport] bytes and [MaxUnitImportLines] lines. Its first line names the
// columns, in any order: "Mã đơn vị", "Tên đơn vị", "Cấp" (a level's code or name), "Mã đơn vị cấp trên" (empty: a root), "Ngày thành lập"
// and "Ngày quyết định" (dd/mm/yyyy), "Số quyết định"; commas or semicolons part them. Lines may stand in any order. A unit that stands as it
// was established by such a line stays as it is, so that a file may be imported again; one that does not is [ErrUnitCode].
func (v *Vault) ImportUnits(ctx context.Context, a Actor, r io.Reader, dry bool) (UnitImport, error) {
	if err := v.authorize(ctx, a, ManageUnits, a.Unit, Target{}); err != nil {
		return UnitImport{}, err
	}
	text, err := io.ReadAll(io.LimitReader(r, MaxUnitImport+1))
	if err != nil {
		return UnitImport{}, fmt.Errorf("reading a file of units: %w", err)
	}
	if len(text) > MaxUnitImport {
		return UnitImport{}, fmt.Errorf("%w: more than %d bytes of units", ErrTooLarge, MaxUnitImport)
	}
	if err := v.recordRead(ctx, a, ReadUnits, Target{}); err != nil { // what is refused tells of the tree
		return UnitImport{}, err
	}
	for range maxUnitTries {
		done, err := v.importUnits(ctx, a, text, dry)
		if !errors.Is(err, ErrStale) {
			return done, err
		}
	}
	return UnitImport{}, ErrUnitChanged
}

func (v *Vault) importUnits(ctx context.Context, a Actor, text []byte, dry bool) (UnitImport, error) {
	tree, err := v.store.UnitTree(ctx)
	if err != nil {
		return UnitImport{}, fmt.Errorf("reading the tree of units: %w", err)
	}
	lines, err := parseUnits(text, tree.Levels, DateOf(v.now()))
	if err != nil {
		return UnitImport{}, err
	}
	i := newUnitImport(tree, lines)
	for n := range lines {
		i.establish(n)
	}
	slices.SortFunc(i.report.Refused, func(a, b RefusedUnit) int { return a.Line - b.Line })
	if dry || len(i.report.Refused) > 0 {
		return i.report, nil
	}
	for n := range i.changes {
		v.sign(a, i.acts[n], &i.changes[n])
	}
	if len(i.changes) > 0 {
		if err := v.store.ChangeUnits(ctx, tree.Revision, i.changes); err != nil {
			return UnitImport{}, fmt.Errorf("importing %d units: %w", len(i.changes), err)
		}
	}
	i.report.Applied = true
	return i.report, nil
}

// unitImport establishes units in a tree, each after the one above it.
type unitImport struct {
	tree    *UnitTree
	lines   []unitLine
	byCode  map[string]int
	begun   []bool
	report  UnitImport
	changes []UnitChange
	acts    []NewUnitAct
}

func newUnitImport(tree *UnitTree, lines []unitLine) *unitImport {
	i := &unitImport{tree: tree, lines: lines, byCode: map[string]int{}, begun: make([]bool, len(lines)), report: UnitImport{Lines: len(lines)}}
	for n, l := range lines {
		if l.err != nil {
			continue
		}
		code := l.act.New[0].Code
		if _, twice := i.byCode[code]; twice {
			i.lines[n].err = ErrUnitCode
			continue
		}
		i.byCode[code] = n
	}
	return i
}

// establish judges line n after the lines above it: no more of them than the file has, whatever ring they make.
func (i *unitImport) establish(n int) {
	var path []int
	for known := true; known && !i.begun[n]; {
		i.begun[n] = true
		path = append(path, n)
		if i.lines[n].err != nil {
			break
		}
		n, known = i.byCode[i.lines[n].act.New[0].Parent]
		if known && i.begun[n] && slices.Contains(path, n) {
			i.lines[path[len(path)-1]].err = ErrUnitCycle
		}
	}
	for _, n := range slices.Backward(path) {
		i.judge(n)
	}
}

func (i *unitImport) judge(n int) {
	l, code := i.lines[n], ""
	err := l.err
	if len(l.act.New) > 0 {
		code = l.act.New[0].Code
	}
	if err == nil {
		if _, stands := i.tree.codes[code]; stands {
			if !i.tree.establishedAs(l.act) {
				err = ErrUnitCode
			} else {
				i.report.Unchanged++
				return
			}
		}
	}
	if err == nil {
		var change *UnitChange
		if change, err = i.tree.judge(l.act); err == nil {
			i.changes, i.acts = append(i.changes, *change), append(i.acts, l.act)
			i.report.Established++
			return
		}
	}
	i.report.Refused = append(i.report.Refused, RefusedUnit{Line: l.line, Code: code, Err: err})
}

// establishedAs reports whether a unit began as an act would have it begin.
func (t *UnitTree) establishedAs(n NewUnitAct) bool {
	want := n.New[0]
	l := t.lives[t.codes[want.Code]]
	name, err := line("unit name", want.Name, maxUnitName)
	var parent UnitID
	if above, missing := t.Find(want.Parent); missing == nil {
		parent = above.ID
	}
	return err == nil && l.From == n.Effective && l.Names[0].Name == name && l.Level == want.Level && l.Parents[0].Parent == parent
}

// parseUnits reads a file of units. A line that cannot be read says why; a file that cannot is an error.
func parseUnits(text []byte, levels []UnitLevel, today Date) ([]unitLine, error) {
	text = bytes.TrimPrefix(text, []byte("\xef\xbb\xbf"))
	if !utf8.Valid(text) || bytes.IndexByte(text, 0) >= 0 {
		return nil, ErrUnitFile
	}
	heading, _, _ := bytes.Cut(text, []byte("\n"))
	r := csv.NewReader(bytes.NewReader(text))
	r.FieldsPerRecord = -1
	if bytes.Count(heading, []byte(";")) > bytes.Count(heading, []byte(",")) {
		r.Comma = ';'
	}
	first, err := r.Read()
	if err != nil {
		return nil, ErrUnitHeading
	}
	places, err := unitPlaces(first)
	if err != nil {
		return nil, err
	}
	var lines []unitLine
	for {
		fields, err := r.Read()
		if errors.Is(err, io.EOF) {
			return lines, nil
		}
		if err != nil {
			return nil, fmt.Errorf("%w: %w", ErrUnitFile, err)
		}
		if len(lines) == MaxUnitImportLines {
			return nil, fmt.Errorf("%w: more than %d lines of units", ErrTooLarge, MaxUnitImportLines)
		}
		at, _ := r.FieldPos(0)
		l := unitLine{line: at}
		if len(fields) != len(first) {
			l.err = ErrUnitColumns
		} else if strings.Join(fields, "") == "" {
			continue // what is left of a table below its last line
		} else {
			l.act, l.err = unitAct(func(column int) string { return strings.TrimSpace(fields[places[column]]) }, levels, today)
		}
		lines = append(lines, l)
	}
}

// unitPlaces says where each of unitColumns stands.
func unitPlaces(heading []string) ([]int, error) {
	places := make([]int, len(unitColumns))
	for i, c := range unitColumns {
		places[i] = -1
		for at, h := range heading {
			if h := FoldName(h); h == FoldName(c.vi) || h == c.en {
				if places[i] >= 0 {
					return nil, ErrUnitHeading
				}
				places[i] = at
			}
		}
		if places[i] < 0 {
			return nil, fmt.Errorf("%w: %q is missing", ErrUnitHeading, c.vi)
		}
	}
	if len(heading) != len(unitColumns) {
		return nil, fmt.Errorf("%w: it has a column that nobody knows", ErrUnitHeading)
	}
	return places, nil
}

// unitAct reads one line: a column by its place in unitColumns.
func unitAct(column func(int) string, levels []UnitLevel, today Date) (NewUnitAct, error) {
	n := NewUnitAct{Kind: EstablishUnit, New: []NewUnit{{Code: column(0), Name: column(1), Parent: column(3)}}}
	for _, l := range levels {
		if said := FoldName(column(2)); said != "" && (column(2) == l.Code || said == FoldName(l.Label.Vi) || said == FoldName(l.Label.En)) {
			n.New[0].Level = l.Code
		}
	}
	var err error
	if n.Basis.Number, err = line("decision number", column(5), maxDecision); err != nil {
		return n, err
	}
	if n.Effective, err = vietnameseDate(column(4)); err != nil {
		return n, err
	}
	if n.Basis.Date, err = vietnameseDate(column(6)); err != nil {
		return n, err
	}
	if n.Effective > today || n.Basis.Date > today {
		return n, ErrUnitFuture
	}
	return n, nil
}

// vietnameseDate reads dd/mm/yyyy; a leading zero may be missing.
func vietnameseDate(s string) (Date, error) {
	t, err := time.Parse("2/1/2006", s)
	if err != nil || t.Year() < 1000 {
		return "", ErrUnitDate
	}
	return Date(t.Format(time.DateOnly)), nil
}
