package calendar

import (
	"fmt"
	"math"
	"time"
)

// The first and the last year that are reckoned: from when Vietnam's calendar follows UTC+7, to where the formula for ΔT ends.
const (
	FirstLunarYear = 1968
	LastLunarYear  = 2150
)

// Lunar is a day of the Vietnamese lunisolar calendar.
type Lunar struct {
	Year, Month, Day int
	Leap             bool // the month repeats the number of the one before
}

func (l Lunar) String() string {
	leap := ""
	if l.Leap {
		leap = " nhuận"
	}
	return fmt.Sprintf("%d/%d%s/%d", l.Day, l.Month, leap, l.Year)
}

// The rules: a month begins on the day of the new moon in Hanoi; the month with the winter solstice is the 11th; where there are 13
// months between two of these, the first without a principal term repeats the number of the one before.

// monthStart is the day number of the day in Hanoi on which the k-th new moon falls.
func monthStart(k int) int { return int(math.Floor(newMoon(k) + hanoi - epoch1970)) }

// monthOf is the number of the new moon that begins the month of a day.
func monthOf(day int) int {
	k := int(math.Floor((float64(day) + epoch1970 - firstNewMoon) / synodicMonth))
	for monthStart(k+1) <= day {
		k++
	}
	for monthStart(k) > day {
		k--
	}
	return k
}

// sector says in which twelfth of its way the Sun is when a day begins in Hanoi; a principal term is where it changes. The 9th begins
// with the winter solstice.
func sector(day int) int { return int(sunLongitude(float64(day)+epoch1970-hanoi) / 30) }

// eleventh is the new moon that begins the 11th month of the lunar year: the month with the winter solstice of that solar year.
func eleventh(year int) int {
	end := Date{year, time.December, 31}.number()
	k := monthOf(end)
	if sector(monthStart(k)) == 9 { // the solstice, on 21 or 22 December, came before the last new moon of the year
		k--
	}
	return k
}

// leapAfter is how many months after the one at first the leap month comes, of a span with 13 months.
func leapAfter(first int) int {
	for i := 1; i < 13; i++ {
		if sector(monthStart(first+i)) == sector(monthStart(first+i+1)) {
			return i
		}
	}
	return 13
}

// Lunar is the day in the lunar calendar; zero outside the years that are reckoned.
func (d Date) Lunar() Lunar {
	if d.Year < FirstLunarYear || d.Year > LastLunarYear {
		return Lunar{}
	}
	day := d.number()
	k := monthOf(day)
	year := d.Year
	first := eleventh(year)
	if k < first {
		year--
		first = eleventh(year)
	}
	i := k - first
	l := Lunar{Year: year, Day: day - monthStart(k) + 1}
	if eleventh(year+1)-first == 13 {
		leap := leapAfter(first)
		l.Leap = i == leap
		if i >= leap {
			i--
		}
	}
	if l.Month = 11 + i; l.Month > 12 {
		l.Month -= 12
		l.Year++
	}
	return l
}

// Solar is the day of a lunar one, and whether there is such a day.
func (l Lunar) Solar() (Date, bool) {
	if l.Year < FirstLunarYear || l.Year > LastLunarYear || l.Month < 1 || l.Month > 12 || l.Day < 1 || l.Day > 30 {
		return Date{}, false
	}
	before := l.Year // whose 11th month begins the span that the month is in
	if l.Month < 11 {
		before--
	}
	first := eleventh(before)
	i := (l.Month + 1) % 12
	leap := 13
	if eleventh(before+1)-first == 13 {
		leap = leapAfter(first)
	}
	switch {
	case l.Leap && i+1 != leap:
		return Date{}, false
	case l.Leap || i >= leap:
		i++
	}
	d := dateOfNumber(monthStart(first+i) + l.Day - 1)
	return d, l.Day <= monthStart(first+i+1)-monthStart(first+i)
}

// NewYear is the first day of the lunar year, Tết; false outside the years that are reckoned.
func NewYear(year int) (Date, bool) { return Lunar{year, 1, 1, false}.Solar() }
