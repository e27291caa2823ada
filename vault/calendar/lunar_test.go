package calendar

import (
	"math"
	"testing"
	"time"
)

// newYears are the published days of Tết, 2000 to 2040. Those of 2007 and 2030 are a day before the Chinese ones: the new moon falls
// between 23:00 and 24:00 in Hanoi.
var newYears = []string{
	"2000-02-05", "2001-01-24", "2002-02-12", "2003-02-01", "2004-01-22", "2005-02-09", "2006-01-29", "2007-02-17", "2008-02-07", "2009-01-26",
	"2010-02-14", "2011-02-03", "2012-01-23", "2013-02-10", "2014-01-31", "2015-02-19", "2016-02-08", "2017-01-28", "2018-02-16", "2019-02-05",
	"2020-01-25", "2021-02-12", "2022-02-01", "2023-01-22", "2024-02-10", "2025-01-29", "2026-02-17", "2027-02-06", "2028-01-26", "2029-02-13",
	"2030-02-02", "2031-01-23", "2032-02-11", "2033-01-31", "2034-02-19", "2035-02-08", "2036-01-28", "2037-02-15", "2038-02-04", "2039-01-24",
	"2040-02-12",
}

func TestNewYears(t *testing.T) {
	for i, want := range newYears {
		if got, ok := NewYear(2000 + i); !ok || got.String() != want {
			t.Errorf("Tết %d is %s, want %s", 2000+i, got, want)
		}
	}
	// A month before the Chinese one: the winter solstice of 1984 fell on another day in Hanoi.
	if got, _ := NewYear(1985); got.String() != "1985-01-21" {
		t.Errorf("Tết 1985 is %s", got)
	}
	// The first by the new reckoning.
	if got, _ := NewYear(FirstLunarYear); got.String() != "1968-01-29" {
		t.Errorf("Tết 1968 is %s", got)
	}
	for _, year := range []int{FirstLunarYear - 1, LastLunarYear + 1} {
		if got, ok := NewYear(year); ok {
			t.Errorf("Tết %d is reckoned as %s", year, got)
		}
	}
}

// Leap months of 2000 to 2040.
func TestLeapMonths(t *testing.T) {
	leaps := map[int]int{
		2001: 4, 2004: 2, 2006: 7, 2009: 5, 2012: 4, 2014: 9, 2017: 6, 2020: 4, 2023: 2, 2025: 6, 2028: 5, 2031: 3, 2033: 11, 2036: 6, 2039: 5,
	}
	for year := 2000; year <= 2040; year++ {
		found := 0
		for month := 1; month <= 12; month++ {
			if _, ok := (Lunar{year, month, 1, true}).Solar(); ok {
				found = found*100 + month
			}
		}
		if found != leaps[year] {
			t.Errorf("%d has leap month %d, want %d", year, found, leaps[year])
		}
	}
}

// Days as the notices of public holidays give them in both calendars.
func TestLunarDaysOfNotices(t *testing.T) {
	for day, want := range map[string]Lunar{
		"2024-02-08": {2023, 12, 29, false}, // 5015/TB-LĐTBXH
		"2024-02-14": {2024, 1, 5, false},
		"2024-04-18": {2024, 3, 10, false},
		"2025-01-25": {2024, 12, 26, false}, // 6150/TB-BLĐTBXH
		"2025-02-02": {2025, 1, 5, false},
		"2025-04-07": {2025, 3, 10, false},
		"2026-02-14": {2025, 12, 27, false}, // 9441/TB-BNV
		"2026-02-22": {2026, 1, 6, false},
		"2026-04-26": {2026, 3, 10, false},
		"2027-02-04": {2026, 12, 28, false}, // 10065/VPCP-KGVX
		"2027-02-10": {2027, 1, 5, false},
		"2027-04-16": {2027, 3, 10, false},
		"2023-03-22": {2023, 2, 1, true}, // the second of the second month
	} {
		d, err := ParseDate(day)
		if err != nil {
			t.Fatal(err)
		}
		if got := d.Lunar(); got != want {
			t.Errorf("%s is %s, want %s", day, got, want)
		}
	}
}

// Each day has one lunar day and comes back from it; days of a month follow one another; a month has 29 or 30.
func TestLunarAndBack(t *testing.T) {
	last := Lunar{}
	for d := (Date{1999, time.December, 1}); d.Year < 2045; d = d.AddDays(1) {
		l := d.Lunar()
		if back, ok := l.Solar(); !ok || back != d {
			t.Fatalf("%s is %s, which is %s", d, l, back)
		}
		follows := l.Day == last.Day+1 && l.Month == last.Month && l.Leap == last.Leap && l.Year == last.Year
		begins := l.Day == 1 && last.Day >= 29 && (l.Month == last.Month%12+1 && !l.Leap || l.Month == last.Month && l.Leap)
		if last != (Lunar{}) && !follows && !begins {
			t.Fatalf("%s comes after %s", l, last)
		}
		last = l
	}
	if _, ok := (Lunar{2026, 2, 30, true}).Solar(); ok {
		t.Error("a leap month that is not there has days")
	}
	if l := (Date{1900, 1, 1}).Lunar(); l != (Lunar{}) {
		t.Errorf("1900 is not reckoned, but is %s", l)
	}
}

// Published instants of new moons (two of them solar eclipses), to the minute.
func TestNewMoons(t *testing.T) {
	for _, want := range []string{"2000-01-06T18:14:00Z", "2024-04-08T18:21:00Z", "2026-02-17T12:01:00Z", "2027-02-06T15:56:00Z", "2030-02-02T16:07:00Z"} {
		at, err := time.Parse(time.RFC3339, want)
		if err != nil {
			t.Fatal(err)
		}
		julian := float64(at.Unix())/86400 + epoch1970
		got := newMoon(int(math.Round((julian - firstNewMoon) / synodicMonth)))
		if off := (got - julian) * 86400; math.Abs(off) > 60 {
			t.Errorf("%s: off by %.0f s", want, off)
		}
	}
}

// Published equinoxes and solstices; the formula is good to a quarter of an hour.
func TestSunLongitude(t *testing.T) {
	for at, want := range map[string]float64{
		"2024-03-20T03:06:00Z": 0, "2025-06-21T02:42:00Z": 90, "2024-12-21T09:21:00Z": 270, "2026-12-21T20:50:00Z": 270,
	} {
		moment, err := time.Parse(time.RFC3339, at)
		if err != nil {
			t.Fatal(err)
		}
		off := math.Mod(sunLongitude(float64(moment.Unix())/86400+epoch1970)-want+540, 360) - 180
		if math.Abs(off) > 0.011 {
			t.Errorf("%s: off by %.4f degrees", at, off)
		}
	}
}
