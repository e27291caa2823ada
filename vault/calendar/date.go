package calendar

import (
	"fmt"
	"time"
)

// Zone is Vietnam's, which has known no other since 1975.
func Zone() *time.Location { return zone }

var zone = time.FixedZone("+07:00", 7*60*60)

// Date is a day in Vietnam.
type Date struct {
	Year  int
	Month time.Month
	Day   int
}

// DateOf is the day in Vietnam at a moment.
func DateOf(t time.Time) Date {
	y, m, d := t.In(zone).Date()
	return Date{y, m, d}
}

// ParseDate reads yyyy-mm-dd.
func ParseDate(s string) (Date, error) {
	t, err := time.ParseInLocation(time.DateOnly, s, zone)
	if err != nil {
		return Date{}, fmt.Errorf("%q is no date such as 2026-09-02", s)
	}
	return DateOf(t), nil
}

// UnmarshalText reads yyyy-mm-dd.
func (d *Date) UnmarshalText(text []byte) (err error) {
	*d, err = ParseDate(string(text))
	return err
}

// MarshalText writes yyyy-mm-dd.
func (d Date) MarshalText() ([]byte, error) { return []byte(d.String()), nil }

func (d Date) String() string { return fmt.Sprintf("%04d-%02d-%02d", d.Year, d.Month, d.Day) }

// Start is the moment at which the day begins.
func (d Date) Start() time.Time { return time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, zone) }

// End is the moment at which the day has ended: 24:00, the start of the next.
func (d Date) End() time.Time { return d.AddDays(1).Start() }

// AddDays goes n days on, or back.
func (d Date) AddDays(n int) Date {
	return DateOf(time.Date(d.Year, d.Month, d.Day+n, 0, 0, 0, 0, zone))
}

// Weekday is the day of the week.
func (d Date) Weekday() time.Weekday { return d.Start().Weekday() }

// Compare is negative if d is before o, 0 on the same day.
func (d Date) Compare(o Date) int { return d.number() - o.number() }

func (d Date) weekend() bool { return d.Weekday() == time.Saturday || d.Weekday() == time.Sunday }

// number counts days from 1970-01-01.
func (d Date) number() int {
	return int(time.Date(d.Year, d.Month, d.Day, 0, 0, 0, 0, time.UTC).Unix() / 86400)
}

func dateOfNumber(n int) Date {
	y, m, d := time.Unix(int64(n)*86400, 0).UTC().Date()
	return Date{y, m, d}
}
