package vault

import (
	"fmt"
	"time"
)

// Date is a day in Vietnam, as yyyy-mm-dd: dates compare as texts do. The empty one is open: where something begins, before anybody
// recorded when; where it ends, not yet.
type Date string

// vietnam is the time of Vietnam, which has known no other since 1975.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// DateOf is the day that it is in Vietnam at t.
func DateOf(t time.Time) Date { return Date(t.In(vietnam).Format(time.DateOnly)) }

// ParseDate reads yyyy-mm-dd of the years 1000 to 9999. The error wraps [ErrInvalid].
func ParseDate(s string) (Date, error) {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil || t.Year() < 1000 {
		return "", fmt.Errorf("%w: a date is yyyy-mm-dd", ErrInvalid)
	}
	return Date(s), nil
}

// Start is the first moment of the day, in UTC; the zero time if d is no day.
func (d Date) Start() time.Time {
	t, err := time.ParseInLocation(time.DateOnly, string(d), vietnam)
	if err != nil {
		return time.Time{}
	}
	return t.UTC()
}
