package main

import (
	"context"
	"fmt"
	"io"
	"strconv"

	"trien/vault/calendar"
)

// calendarCommand is for whoever keeps the tables of working days: nothing here touches a vault.
func calendarCommand(_ context.Context, args []string, s stdio) error {
	verbs := map[string]func(args []string, s stdio) error{"check": calendarCheck, "show": calendarShow}
	if len(args) == 0 || verbs[args[0]] == nil {
		fmt.Fprintln(s.err, "trien calendar: show YEAR, or check FILE (vault/calendar/YEARS.md says what may stand in a file)")
		return errUsage
	}
	return verbs[args[0]](args[1:], s)
}

// calendarCheck reads a year's file or a folder of them, and remarks on what departs from law and moon without refusing it.
func calendarCheck(args []string, s stdio) error {
	f := flags("calendar check", s)
	if err := parse(f, args, true); err != nil {
		return err
	}
	if f.NArg() != 1 {
		fmt.Fprintln(s.err, "trien calendar check: give one year's file, or a folder of them")
		return errUsage
	}
	years, err := calendar.Read(f.Arg(0))
	if err != nil {
		return err
	}
	for _, y := range years {
		state := "decided"
		if y.Proposed {
			state = "proposed"
		}
		fmt.Fprintf(s.out, "%d: %s, %d days off, %d worked on weekends\n", y.Year, state, len(y.Off), len(y.Work))
		for _, remark := range y.Remarks() {
			fmt.Fprintln(s.out, "  look again:", remark)
		}
	}
	return nil
}

// calendarShow prints a year's table in the form of its file, so that a proposal is what one begins from.
func calendarShow(args []string, s stdio) error {
	f := flags("calendar show", s)
	path := f.String("calendar", "", "`file` or folder in the place of built-in years")
	if err := parse(f, args, true); err != nil {
		return err
	}
	year, err := strconv.Atoi(f.Arg(0))
	if err != nil || f.NArg() != 1 || year < calendar.FirstLunarYear || year > calendar.LastLunarYear {
		fmt.Fprintf(s.err, "trien calendar show: give one year between %d and %d\n", calendar.FirstLunarYear, calendar.LastLunarYear)
		return errUsage
	}
	c, err := calendar.Load(*path)
	if err != nil {
		return err
	}
	writeYear(s.out, c.Year(year))
	return nil
}

func writeYear(w io.Writer, y calendar.Year) {
	fmt.Fprintf(w, "year: %d\n", y.Year)
	if y.Proposed {
		fmt.Fprintln(w, "proposed: true # from the law and the moon: correct it when the year's decisions are published, name them, and take this out")
	}
	if len(y.Sources) > 0 {
		fmt.Fprintln(w, "sources:")
	}
	for _, s := range y.Sources {
		fmt.Fprintf(w, "  - {document: %s, date: %s, says: %s}\n", strconv.Quote(s.Document), s.Date, strconv.Quote(s.Says))
	}
	fmt.Fprintln(w, "hours:")
	for _, h := range y.Hours {
		fmt.Fprintf(w, "  - {from: \"%s\", to: \"%s\"}\n", h.From, h.To)
	}
	fmt.Fprintln(w, "off:")
	for _, o := range y.Off {
		vi, en := o.Why.Name()
		fmt.Fprintf(w, "  - {day: %s, why: %s} # %s, âm lịch %s: %s / %s\n", o.Day, o.Why, weekdays[o.Day.Weekday()], o.Day.Lunar(), vi, en)
	}
	if len(y.Work) > 0 {
		fmt.Fprintln(w, "work:")
	}
	for _, d := range y.Work {
		fmt.Fprintf(w, "  - {day: %s, instead_of: %s} # %s\n", d.Day, d.Instead, weekdays[d.Day.Weekday()])
	}
}

var weekdays = [...]string{"Chủ nhật", "thứ Hai", "thứ Ba", "thứ Tư", "thứ Năm", "thứ Sáu", "thứ Bảy"}
