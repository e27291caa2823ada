package calendar

import (
	"errors"
	"fmt"
	"slices"
	"time"
)

// ErrFile is a year's file that cannot be used. Its text has a line for each thing that is wrong.
var ErrFile = errors.New("the calendar's files cannot be used")

// Year is the table of one year.
type Year struct {
	Year int `yaml:"year"`
	// Proposed says that no decision stands behind it yet.
	Proposed bool     `yaml:"proposed"`
	Sources  []Source `yaml:"sources"`
	Hours    []Hours  `yaml:"hours"` // of a working day
	Off      []Off    `yaml:"off"`   // also those on a weekend
	Work     []Work   `yaml:"work"`  // weekend days that are worked
}

// Source is a document that a table follows.
type Source struct {
	Document string `yaml:"document"`
	Date     Date   `yaml:"date"`
	Says     string `yaml:"says"`
}

// Hours is a span of a working day.
type Hours struct {
	From Clock `yaml:"from"`
	To   Clock `yaml:"to"`
}

// Clock is a time of day in minutes.
type Clock int

// UnmarshalText reads hh:mm.
func (c *Clock) UnmarshalText(text []byte) error {
	t, err := time.Parse("15:04", string(text))
	if err != nil {
		return fmt.Errorf("%q is no time of day such as 08:00", text)
	}
	*c = Clock(t.Hour()*60 + t.Minute())
	return nil
}

// MarshalText writes hh:mm.
func (c Clock) MarshalText() ([]byte, error) { return []byte(c.String()), nil }

func (c Clock) String() string { return fmt.Sprintf("%02d:%02d", int(c)/60, int(c)%60) }

func (d Date) at(c Clock) time.Time { return time.Date(d.Year, d.Month, d.Day, 0, int(c), 0, 0, zone) }

// Off is a day that is not worked.
type Off struct {
	Day Date `yaml:"day"`
	Why Why  `yaml:"why"`
}

// Work is a day of a weekend that is worked, and the weekday that is off for it.
type Work struct {
	Day     Date `yaml:"day"`
	Instead Date `yaml:"instead_of"`
}

// Why is for what a day is off.
type Why string

// The reasons: the holidays of Article 112.1 of the Labour Code (45/2019/QH14) and of Resolution 28/2026/QH16; a day in lieu of one
// that fell on a weekend (Article 111.3); a weekday that was swapped for a day of a weekend.
const (
	NewYearsDay Why = "new_year"
	Tet         Why = "tet"
	Victory     Why = "victory"
	Labour      Why = "labour"
	National    Why = "national"
	HungKings   Why = "hung_kings"
	Culture     Why = "culture"
	InLieu      Why = "in_lieu"
	Swapped     Why = "swapped"
	Other       Why = "other"
)

// names of the reasons, in Vietnamese and English.
var names = map[Why][2]string{
	NewYearsDay: {"Tết Dương lịch", "New Year's Day"},
	Tet:         {"Tết Âm lịch", "Lunar New Year"},
	Victory:     {"Ngày Chiến thắng", "Victory Day"},
	Labour:      {"Ngày Quốc tế lao động", "International Labour Day"},
	National:    {"Quốc khánh", "National Day"},
	HungKings:   {"Giỗ Tổ Hùng Vương", "Hùng Kings' Commemoration Day"},
	Culture:     {"Ngày Văn hóa Việt Nam", "Vietnamese Culture Day"},
	InLieu:      {"Nghỉ bù", "Day in lieu"},
	Swapped:     {"Nghỉ hoán đổi", "Swapped day off"},
	Other:       {"Nghỉ theo quyết định", "Day off by decision"},
}

// Name of the reason in Vietnamese and in English.
func (w Why) Name() (vi, en string) { return names[w][0], names[w][1] }

// check says what is wrong with a table by itself; whether it follows the law is another question: see [Year.Remarks].
func (y Year) check() (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	if y.Year < FirstLunarYear || y.Year > LastLunarYear {
		say("year: %d is not between %d and %d", y.Year, FirstLunarYear, LastLunarYear)
	}
	if len(y.Sources) == 0 && !y.Proposed {
		say("sources: no document says so; mark the table proposed: true, or name the document")
	}
	for i, s := range y.Sources {
		if s.Document == "" || s.Says == "" || s.Date == (Date{}) {
			say("sources[%d]: document, date and says are all needed", i)
		}
	}
	last := Clock(0)
	for i, h := range y.Hours {
		if h.From < last || h.To <= h.From {
			say("hours[%d]: %s to %s does not come after the span before", i, h.From, h.To)
		}
		last = h.To
	}
	if len(y.Hours) == 0 {
		say("hours: a working day has hours")
	}
	off := map[Date]Why{}
	for _, o := range y.Off {
		switch _, twice := off[o.Day]; {
		case names[o.Why] == [2]string{}:
			say("off: %s: %q is no reason", o.Day, string(o.Why))
		case o.Day.Year != y.Year:
			say("off: %s is in another year", o.Day)
		case twice:
			say("off: %s stands twice", o.Day)
		case o.Day.weekend() && (o.Why == InLieu || o.Why == Swapped):
			say("off: %s is on a weekend and off anyway", o.Day)
		}
		off[o.Day] = o.Why
	}
	return append(wrong, y.checkWork(off)...)
}

// checkWork wants one worked day for each that is swapped off, and the other way round.
func (y Year) checkWork(off map[Date]Why) (wrong []string) {
	say := func(format string, args ...any) { wrong = append(wrong, fmt.Sprintf(format, args...)) }
	instead, worked := map[Date]bool{}, map[Date]bool{}
	for _, w := range y.Work {
		switch _, isOff := off[w.Day]; {
		case w.Day.Year != y.Year:
			say("work: %s is in another year", w.Day)
		case !w.Day.weekend():
			say("work: %s is on no weekend", w.Day)
		case isOff:
			say("work: %s is off", w.Day)
		case worked[w.Day]:
			say("work: %s stands twice", w.Day)
		case instead[w.Instead]:
			say("work: %s is swapped twice", w.Instead)
		case w.Instead.Year == y.Year && off[w.Instead] != Swapped:
			say("work: %s is worked instead of %s, which is not off as swapped", w.Day, w.Instead)
		}
		instead[w.Instead], worked[w.Day] = true, true
	}
	for _, o := range y.Off {
		// A swap across the turn of the year has its other half in the other table.
		if o.Why == Swapped && !instead[o.Day] && o.Day.Month != time.January && o.Day.Month != time.December {
			say("off: %s is swapped, and no day is worked instead", o.Day)
		}
	}
	return wrong
}

// Remarks says where a table departs from what law and moon let expect. A decision of the year may do so: a person looks.
func (y Year) Remarks() []string {
	want := Propose(y.Year, y.Hours)
	var remarks []string
	for _, o := range want.Off {
		fixed := o.Why != InLieu && o.Why != Tet && o.Why != National
		i := slices.IndexFunc(y.Off, func(have Off) bool { return have.Day == o.Day })
		if fixed && (i < 0 || y.Off[i].Why != o.Why) {
			vi, _ := o.Why.Name()
			remarks = append(remarks, fmt.Sprintf("%s is %s by law, and the table does not have it so", o.Day, vi))
		}
	}
	for why, days := range map[Why]int{Tet: 5, National: 2} {
		have := 0
		for _, o := range y.Off {
			if o.Why == why {
				have++
			}
		}
		if have != days {
			remarks = append(remarks, fmt.Sprintf("the table has %d days of %s, the law %d", have, why, days))
		}
	}
	if first, ok := NewYear(y.Year); ok && !slices.Contains(y.Off, Off{first, Tet}) {
		remarks = append(remarks, fmt.Sprintf("%s is the first day of the lunar year, and the table does not have it as tet", first))
	}
	inLieu := 0
	for _, o := range y.Off {
		switch {
		case o.Why == InLieu:
			inLieu--
		case o.Why != Culture && o.Why != Other && o.Day.weekend():
			inLieu++
		}
	}
	if inLieu != 0 {
		remarks = append(remarks, fmt.Sprintf("days in lieu and holidays on weekends differ by %d (Labour Code, Article 111.3)", inLieu))
	}
	slices.Sort(remarks)
	return remarks
}
