package calendar

import "time"

// Calendar answers which days are worked. It never changes and may be shared.
type Calendar struct {
	tables map[int]table // by year
}

// table is a [Year] to be asked.
type table struct {
	year Year
	off  map[Date]Why
	work map[Date]bool
}

func tableOf(y Year) table {
	t := table{y, map[Date]Why{}, map[Date]bool{}}
	for _, o := range y.Off {
		t.off[o.Day] = o.Why
	}
	for _, w := range y.Work {
		t.work[w.Day] = true
	}
	return t
}

// Years whose proposals are kept ready; those of others are made each time they are asked for.
const (
	firstReady = 2000
	lastReady  = 2060
)

// newCalendar fills the gaps before, between and after the tables with proposals, which take the hours of the last table before them.
func newCalendar(years []Year) *Calendar {
	c := &Calendar{tables: map[int]table{}}
	for _, y := range years {
		c.tables[y.Year] = tableOf(y)
	}
	hours := usualHours
	for y := firstReady; y <= lastReady; y++ {
		if t, ok := c.tables[y]; ok {
			hours = t.year.Hours
			continue
		}
		c.tables[y] = tableOf(Propose(y, hours))
	}
	return c
}

func (c *Calendar) table(year int) table {
	t, ok := c.tables[year]
	if !ok {
		t = tableOf(Propose(year, nil))
	}
	return t
}

// Year is the table of a year, proposed where no file has it.
func (c *Calendar) Year(year int) Year { return c.table(year).year }

// Proposed reports whether what is said of a day rests on a proposal.
func (c *Calendar) Proposed(d Date) bool { return c.table(d.Year).year.Proposed }

// Off says for what a day is off by the table; false for a day that is worked, or off as a weekend alone.
func (c *Calendar) Off(d Date) (Why, bool) {
	why, ok := c.table(d.Year).off[d]
	return why, ok
}

// Working reports whether a day is worked.
func (c *Calendar) Working(d Date) bool {
	t := c.table(d.Year)
	if _, off := t.off[d]; off {
		return false
	}
	return !d.weekend() || t.work[d]
}

// AddWorkingDays is the n-th working day after a day, which is not counted itself; with n < 0 the n-th before. With n = 0 it is the
// day itself, or the next one that is worked.
func (c *Calendar) AddWorkingDays(d Date, n int) Date {
	step := 1
	if n < 0 {
		step, n = -1, -n
	}
	if n == 0 && !c.Working(d) {
		n = 1
	}
	for n > 0 {
		if d = d.AddDays(step); c.Working(d) {
			n--
		}
	}
	return d
}

// WorkingDaysBetween counts the working days after one day up to and with another; it is negative if the other is before.
// AddWorkingDays(from, WorkingDaysBetween(from, to)) is to, if to is worked and not from itself.
func (c *Calendar) WorkingDaysBetween(from, to Date) int {
	if to.Compare(from) < 0 {
		n := 0
		for d := from.AddDays(-1); d.Compare(to) >= 0; d = d.AddDays(-1) {
			if c.Working(d) {
				n--
			}
		}
		return n
	}
	n := 0
	for d := from.AddDays(1); d.Compare(to) <= 0; d = d.AddDays(1) {
		if c.Working(d) {
			n++
		}
	}
	return n
}

// Due is the moment at which a term of n working days from an event ends: 24:00, +07:00, of the n-th working day after the day of the
// event. What is done before that moment is in time.
func (c *Calendar) Due(event time.Time, n int) time.Time {
	return c.AddWorkingDays(DateOf(event), n).End()
}

// Closes is when the office hours of a working day end, for reminders; false if the day is not worked.
func (c *Calendar) Closes(d Date) (time.Time, bool) {
	if !c.Working(d) {
		return time.Time{}, false
	}
	hours := c.table(d.Year).year.Hours
	return d.at(hours[len(hours)-1].To), true
}

// AddWorkingTime is the moment at which so much office time has passed since another (R-19.3: one working hour). Time outside office
// hours does not count. A span that ends with the office hours ends at their end, not at the start of the next.
func (c *Calendar) AddWorkingTime(from time.Time, span time.Duration) time.Time {
	for d := DateOf(from); ; d = d.AddDays(1) {
		if !c.Working(d) {
			continue
		}
		for _, h := range c.table(d.Year).year.Hours {
			begin, end := d.at(h.From), d.at(h.To)
			if begin.Before(from) {
				begin = from.In(zone)
			}
			left := end.Sub(begin)
			if left < 0 || left == 0 && span > 0 {
				continue
			}
			if span <= left {
				return begin.Add(span)
			}
			span -= left
		}
	}
}
