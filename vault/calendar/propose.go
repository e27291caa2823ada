package calendar

import (
	"slices"
	"time"
)

// cultureYear is the first in which 24 November is off: Resolution 28/2026/QH16 is in force from 2026-07-01.
const cultureYear = 2026

// usualHours are taken where no table says others.
var usualHours = []Hours{{8 * 60, 12 * 60}, {13*60 + 30, 17*60 + 30}}

// Propose is the table of a year as the law and the moon let expect it, marked as proposed. What is decided each year follows the
// choices of the years before: of Tết two days before its first and two after, or where that is a Tuesday one and three; for National
// Day the day that joins it to a weekend. Nothing is swapped. No hours: the usual ones.
func Propose(year int, hours []Hours) Year {
	if len(hours) == 0 {
		hours = usualHours
	}
	y := Year{Year: year, Proposed: true, Hours: hours}
	add := func(d Date, why Why) { y.Off = append(y.Off, Off{d, why}) }
	add(Date{year, time.January, 1}, NewYearsDay)
	if first, ok := NewYear(year); ok {
		before := 2
		if first.Weekday() == time.Tuesday {
			before = 1
		}
		for i := range 5 {
			add(first.AddDays(i-before), Tet)
		}
	}
	if d, ok := (Lunar{year, 3, 10, false}).Solar(); ok {
		add(d, HungKings)
	}
	add(Date{year, time.April, 30}, Victory)
	add(Date{year, time.May, 1}, Labour)
	national := Date{year, time.September, 2}
	add(national, National)
	switch national.Weekday() {
	case time.Monday, time.Thursday, time.Sunday:
		add(national.AddDays(1), National)
	case time.Tuesday, time.Wednesday, time.Friday, time.Saturday:
		add(national.AddDays(-1), National)
	}
	if year >= cultureYear {
		add(Date{year, time.November, 24}, Culture)
	}
	y.addInLieu()
	return y
}

// addInLieu adds the next working day for each holiday on a weekend (Labour Code, Article 111.3). That article is about the holidays of
// Article 112.1, of which the Culture Day is none.
func (y *Year) addInLieu() {
	slices.SortFunc(y.Off, func(a, b Off) int { return a.Day.Compare(b.Day) })
	off := map[Date]bool{}
	for _, o := range y.Off {
		off[o.Day] = true
	}
	for _, o := range slices.Clone(y.Off) {
		if !o.Day.weekend() || o.Why == Culture {
			continue
		}
		d := o.Day
		for d.weekend() || off[d] {
			d = d.AddDays(1)
		}
		off[d] = true
		y.Off = append(y.Off, Off{d, InLieu})
	}
	slices.SortFunc(y.Off, func(a, b Off) int { return a.Day.Compare(b.Day) })
}
