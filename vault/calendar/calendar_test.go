package calendar_test

import (
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/vault/calendar"
)

func day(t *testing.T, s string) calendar.Date {
	t.Helper()
	d, err := calendar.ParseDate(s)
	if err != nil {
		t.Fatal(err)
	}
	return d
}

// published has, for each year, the weekdays off and the weekend days worked, as the notices to the civil service give them:
// 2024: 8662/VPCP-KGVX, 5015/TB-LĐTBXH, 2450/VPCP-KGVX; 2025: 8726/VPCP-KGVX, 6150/TB-BLĐTBXH; 2026: 9441/TB-BNV, 12729/VPCP-KGVX,
// 3383/BNV-CVL, Resolution 28/2026/QH16, 10065/VPCP-KGVX; 2027: 10065/VPCP-KGVX and the Labour Code.
var published = map[int][2]string{
	2024: {"01-01 02-08 02-09 02-12 02-13 02-14 04-18 04-29 04-30 05-01 09-02 09-03", "05-04"},
	2025: {"01-01 01-27 01-28 01-29 01-30 01-31 04-07 04-30 05-01 05-02 09-01 09-02", "04-26"},
	2026: {"01-01 01-02 02-16 02-17 02-18 02-19 02-20 04-27 04-30 05-01 08-31 09-01 09-02 11-24", "01-10 08-22"},
	2027: {"01-01 02-04 02-05 02-08 02-09 02-10 04-16 04-30 05-03 09-02 09-03 11-24", ""},
}

// differing lists the weekdays off and the weekend days worked.
func differing(year int, working func(calendar.Date) bool) (off, work string) {
	var offs, works []string
	for d := (calendar.Date{Year: year, Month: 1, Day: 1}); d.Year == year; d = d.AddDays(1) {
		weekend := d.Weekday() == time.Saturday || d.Weekday() == time.Sunday
		switch {
		case !weekend && !working(d):
			offs = append(offs, d.String()[5:])
		case weekend && working(d):
			works = append(works, d.String()[5:])
		}
	}
	return strings.Join(offs, " "), strings.Join(works, " ")
}

func TestPublishedYears(t *testing.T) {
	for year, want := range published {
		off, work := differing(year, calendar.Default().Working)
		if off != want[0] || work != want[1] {
			t.Errorf("%d: off %s; worked %s", year, off, work)
		}
		y := calendar.Default().Year(year)
		if y.Proposed || len(y.Sources) < 3 {
			t.Errorf("%d rests on %v", year, y.Sources)
		}
		if remarks := y.Remarks(); len(remarks) > 0 {
			t.Errorf("%d: %q", year, remarks)
		}
	}
}

// What is proposed for years gone by is what was decided, but for the swaps. 2021: 4875/TB-LĐTBXH; 2022: 119/TB-LĐTBXH;
// 2023: 5034/TB-LĐTBXH.
func TestProposalsOfDecidedYears(t *testing.T) {
	decided := map[int]string{
		2021: "01-01 02-10 02-11 02-12 02-15 02-16 04-21 04-30 05-03 09-02 09-03",
		2022: "01-03 01-31 02-01 02-02 02-03 02-04 04-11 05-02 05-03 09-01 09-02",
		2023: "01-02 01-20 01-23 01-24 01-25 01-26 05-01 05-02 05-03 09-01 09-04",
	}
	swapped := strings.NewReplacer(" 04-29", "", " 05-02", "", " 01-02", "", " 08-31", "")
	for year, p := range published {
		decided[year] = p[0]
		if p[1] != "" {
			decided[year] = swapped.Replace(p[0])
		}
	}
	for year, want := range decided {
		y := calendar.Propose(year, nil)
		off := func(d calendar.Date) bool {
			return slices.ContainsFunc(y.Off, func(o calendar.Off) bool { return o.Day == d })
		}
		got, _ := differing(year, func(d calendar.Date) bool {
			return !off(d) && d.Weekday() != time.Saturday && d.Weekday() != time.Sunday
		})
		if got != want || !y.Proposed {
			t.Errorf("%d is proposed as %s, was decided as %s", year, got, want)
		}
	}
}

func TestYearWithoutTableIsAProposal(t *testing.T) {
	c := calendar.Default()
	d := day(t, "2030-02-04") // mùng 3 Tết; by the Chinese calendar the second
	if why, off := c.Off(d); !off || why != calendar.Tet || !c.Proposed(d) || c.Working(d) {
		t.Errorf("%s is %q, proposed %v", d, why, c.Proposed(d))
	}
	if c.Proposed(day(t, "2026-05-01")) {
		t.Error("2026 is told to be a proposal")
	}
	// A year beyond those that are kept ready: New Year's Day is a Sunday.
	if why, off := c.Off(day(t, "2090-01-02")); !off || why != calendar.InLieu {
		t.Errorf("2090-01-02 is %q", why)
	}
}

func TestAddWorkingDays(t *testing.T) {
	c := calendar.Default()
	for _, tt := range []struct {
		from string
		n    int
		want string
	}{
		{"2026-11-25", 1, "2026-11-26"},
		{"2026-11-20", 1, "2026-11-23"},  // a weekend between
		{"2026-11-23", 1, "2026-11-25"},  // the Culture Day between
		{"2026-11-21", 1, "2026-11-23"},  // from a Saturday
		{"2026-09-02", 5, "2026-09-09"},  // from a holiday
		{"2026-02-13", 5, "2026-02-27"},  // Tết between: 14 to 22 February
		{"2024-04-26", 3, "2024-05-04"},  // the Saturday that is worked is the third
		{"2026-08-21", 1, "2026-08-22"},  // and here the first
		{"2025-12-31", 1, "2026-01-05"},  // two tables, and a swapped Friday
		{"2026-12-31", 30, "2027-02-19"}, // Tết of the next year
		{"2026-11-22", 0, "2026-11-23"},
		{"2026-11-23", 0, "2026-11-23"},
		{"2026-11-25", -1, "2026-11-23"},
		{"2027-02-11", -1, "2027-02-03"},
	} {
		if got := c.AddWorkingDays(day(t, tt.from), tt.n); got.String() != tt.want {
			t.Errorf("%d working days from %s: %s, want %s", tt.n, tt.from, got, tt.want)
		}
	}
}

// An event late on a Saturday evening, in whatever zone it is told, is of that day in Vietnam.
func TestDue(t *testing.T) {
	c := calendar.Default()
	for event, want := range map[string]string{
		"2026-11-20T09:00:00+07:00": "2026-12-01T00:00:00+07:00", // Friday: 23, 25, 26, 27 and 30 November, without the 24th
		"2026-11-21T22:30:00+07:00": "2026-12-01T00:00:00+07:00", // Saturday evening
		"2026-11-21T15:30:00Z":      "2026-12-01T00:00:00+07:00", // the same moment
		"2026-11-22T23:59:59+07:00": "2026-12-01T00:00:00+07:00", // the last second of Sunday
		"2026-11-23T00:00:00+07:00": "2026-12-02T00:00:00+07:00", // the first of Monday
		"2026-11-22T18:00:00Z":      "2026-12-02T00:00:00+07:00", // Sunday by UTC, Monday in Vietnam
		"2026-11-24T10:00:00+07:00": "2026-12-02T00:00:00+07:00", // on a holiday
		"2026-11-23T12:00:00-08:00": "2026-12-02T00:00:00+07:00", // Monday in America, the 24th in Vietnam
	} {
		at, err := time.Parse(time.RFC3339, event)
		if err != nil {
			t.Fatal(err)
		}
		if got := c.Due(at, 5).Format(time.RFC3339); got != want {
			t.Errorf("5 working days from %s: %s, want %s", event, got, want)
		}
	}
}

// R-19.3: one working hour.
func TestAddWorkingTime(t *testing.T) {
	c := calendar.Default()
	const form = "2006-01-02 15:04"
	for _, tt := range []struct {
		from string
		span time.Duration
		want string
	}{
		{"2026-11-25 09:10", time.Hour, "2026-11-25 10:10"},
		{"2026-11-25 11:30", time.Hour, "2026-11-25 14:00"}, // noon does not count
		{"2026-11-25 11:00", time.Hour, "2026-11-25 12:00"}, // ends with the span
		{"2026-11-25 12:30", time.Hour, "2026-11-25 14:30"},
		{"2026-11-25 17:00", time.Hour, "2026-11-26 08:30"},
		{"2026-11-25 06:00", time.Hour, "2026-11-25 09:00"},
		{"2026-11-27 17:29", time.Hour, "2026-11-30 08:59"}, // over a weekend
		{"2026-11-23 17:30", time.Hour, "2026-11-25 09:00"}, // over the Culture Day
		{"2026-08-22 16:45", time.Hour, "2026-08-24 08:15"}, // from a Saturday that is worked
		{"2027-02-03 17:00", 8 * time.Hour, "2027-02-11 17:00"},
		{"2026-11-25 20:00", 0, "2026-11-26 08:00"},
	} {
		from, err := time.ParseInLocation(form, tt.from, calendar.Zone())
		if err != nil {
			t.Fatal(err)
		}
		for _, at := range []time.Time{from, from.UTC()} {
			if got := c.AddWorkingTime(at, tt.span).In(calendar.Zone()).Format(form); got != tt.want {
				t.Errorf("%s from %s: %s, want %s", tt.span, tt.from, got, tt.want)
			}
		}
	}
	if at, ok := c.Closes(day(t, "2026-11-25")); !ok || at.Format(time.RFC3339) != "2026-11-25T17:30:00+07:00" {
		t.Errorf("%v, %v", at, ok)
	}
	if _, ok := c.Closes(day(t, "2026-11-24")); ok {
		t.Error("a holiday has office hours")
	}
}

func TestProperties(t *testing.T) {
	c := calendar.Default()
	random := rand.New(rand.NewPCG(1, 2))
	start := day(t, "2023-06-01")
	for range 2000 {
		from, n, m := start.AddDays(random.IntN(365*8)), 1+random.IntN(60), 1+random.IntN(60)
		to := c.AddWorkingDays(from, n)
		switch {
		case !c.Working(to):
			t.Fatalf("%s + %d is %s, which is not worked", from, n, to)
		case c.WorkingDaysBetween(from, to) != n:
			t.Fatalf("%s + %d is %s, but %d days lie between", from, n, to, c.WorkingDaysBetween(from, to))
		case c.AddWorkingDays(to, m) != c.AddWorkingDays(from, n+m):
			t.Fatalf("%s: %d and %d days are not %d", from, n, m, n+m)
		case c.Working(from) && c.AddWorkingDays(to, -n) != from:
			t.Fatalf("%s + %d - %d is %s", from, n, n, c.AddWorkingDays(to, -n))
		case c.WorkingDaysBetween(to, from) > 0 || c.Working(from) && c.WorkingDaysBetween(to, from) != -n:
			t.Fatalf("back from %s to %s: %d", to, from, c.WorkingDaysBetween(to, from))
		}
		at := from.Start().Add(time.Duration(random.IntN(24*60)) * time.Minute)
		if due := c.Due(at, n); !due.Equal(to.AddDays(1).Start()) || !due.After(at) {
			t.Fatalf("%d days from %s are due at %s", n, at, due)
		}
		a, b := time.Duration(random.IntN(20*60))*time.Minute, time.Duration(1+random.IntN(20*60))*time.Minute
		one, two := c.AddWorkingTime(c.AddWorkingTime(at, a), b), c.AddWorkingTime(at, a+b)
		if !one.Equal(two) || one.Before(at.Add(b)) || !c.Working(calendar.DateOf(one)) {
			t.Fatalf("%s and %s from %s: %s, at once %s", a, b, at, one, two)
		}
	}
}

const small = `year: 2028
sources: [{document: "Thông báo số 1/TB", date: 2027-11-01, says: "thử"}]
hours: [{from: "07:30", to: "11:30"}, {from: "13:00", to: "17:00"}]
off: [{day: 2028-01-03, why: in_lieu}, {day: 2028-05-05, why: swapped}]
work: [{day: 2028-04-29, instead_of: 2028-05-05}]
`

func TestLoad(t *testing.T) {
	dir := t.TempDir()
	file := filepath.Join(dir, "2028.yaml")
	if err := os.WriteFile(file, []byte(small), 0o600); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{file, dir} {
		c, err := calendar.Load(path)
		if err != nil {
			t.Fatal(err)
		}
		if c.Working(day(t, "2028-05-05")) || !c.Working(day(t, "2028-04-29")) || c.Working(day(t, "2026-11-24")) || c.Proposed(day(t, "2028-05-01")) {
			t.Error("the file's days, or those of the built-in years, are not kept")
		}
		// The years after take the hours of the last table.
		if at, _ := c.Closes(day(t, "2029-03-01")); at.Format("15:04") != "17:00" {
			t.Errorf("2029 closes at %s", at)
		}
		remarks := strings.Join(c.Year(2028).Remarks(), "\n")
		for _, want := range []string{"2028-05-01 is Ngày Quốc tế lao động", "2028-01-26 is the first day of the lunar year", "0 days of tet"} {
			if !strings.Contains(remarks, want) {
				t.Errorf("no remark that %s:\n%s", want, remarks)
			}
		}
	}
	for name, tt := range map[string]struct{ old, text, want string }{
		"unknown key":       {"year: 2028", "year: 2028\nyears: 1", `unknown field "years"`},
		"no date":           {"2028-01-03", "2028-02-30", "no date"},
		"another year":      {"2028-01-03", "2027-01-04", "2027-01-04 is in another year"},
		"twice":             {"2028-01-03", "2028-05-05", "2028-05-05 stands twice"},
		"in lieu on Sunday": {"2028-01-03", "2028-01-02", "on a weekend"},
		"no reason":         {"why: in_lieu", "why: tired", `"tired" is no reason`},
		"no source":         {"sources: [{document: \"Thông báo số 1/TB\", date: 2027-11-01, says: \"thử\"}]\n", "", "no document"},
		"half a source":     {`says: "thử"`, `says: ""`, "sources[0]"},
		"no hours":          {`hours: [{from: "07:30", to: "11:30"}, {from: "13:00", to: "17:00"}]`, "hours: []", "has hours"},
		"hours cross":       {`from: "13:00"`, `from: "11:00"`, "hours[1]"},
		"no time of day":    {`"07:30"`, `"25:00"`, "no time of day"},
		"worked weekday":    {"day: 2028-04-29", "day: 2028-04-28", "on no weekend"},
		"worked for nought": {"instead_of: 2028-05-05", "instead_of: 2028-05-04", "not off as swapped"},
		"swap of one side":  {"work: [{day: 2028-04-29, instead_of: 2028-05-05}]\n", "", "no day is worked instead"},
		"a year too far":    {"year: 2028", "year: 20280", "not between"},
		"two documents":     {"off:", "---\noff:", "more than one document"},
	} {
		text := strings.Replace(small, tt.old, tt.text, 1)
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil || text == small {
			t.Fatal(err)
		}
		if _, err := calendar.Load(file); !errors.Is(err, calendar.ErrFile) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), "2028.yaml") {
			t.Errorf("%s: got %v, want one that says %q", name, err, tt.want)
		}
	}
	if _, err := calendar.Load(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}

func ExampleCalendar_Due() {
	event := time.Date(2026, 11, 20, 9, 0, 0, 0, calendar.Zone()) // a Friday; Tuesday 24 is the Culture Day
	fmt.Println(calendar.Default().Due(event, 5).Format(time.RFC3339))
	// Output: 2026-12-01T00:00:00+07:00
}
