package main

import (
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestCalendarCommand(t *testing.T) {
	run := func(args ...string) (string, error) {
		var out bytes.Buffer
		err := calendarCommand(context.Background(), args, stdio{out: &out, err: io.Discard})
		return out.String(), err
	}
	for year, want := range map[string]string{
		"2026": "{day: 2026-11-24, why: culture} # thứ Ba, âm lịch 16/10/2026: Ngày Văn hóa Việt Nam / Vietnamese Culture Day",
		"2030": "{day: 2030-02-02, why: tet} # thứ Bảy, âm lịch 1/1/2030: Tết Âm lịch / Lunar New Year",
	} {
		out, err := run("show", year)
		if err != nil || !strings.Contains(out, want) || strings.Contains(out, "proposed: true") != (year == "2030") {
			t.Errorf("%s: %v\n%s", year, err, out)
		}
		// What is shown is a file, and departs from nothing.
		file := filepath.Join(t.TempDir(), year+".yaml")
		if err := os.WriteFile(file, []byte(out), 0o600); err != nil {
			t.Fatal(err)
		}
		checked, err := run("check", file)
		if err != nil || !strings.HasPrefix(checked, year+": ") || strings.Contains(checked, "look again") {
			t.Errorf("%s: %v\n%s", year, err, checked)
		}
		again, err := run("show", "--calendar", file, year)
		if err != nil || again != out {
			t.Errorf("%s is shown otherwise from its own file: %v\n%s", year, err, again)
		}
		edit(t, file, "why: labour", "why: other")
		checked, err = run("check", file)
		if err != nil || !strings.Contains(checked, "look again: "+year+"-05-01 is Ngày Quốc tế lao động by law") {
			t.Errorf("%s without Labour Day: %v\n%s", year, err, checked)
		}
	}
	for _, args := range [][]string{nil, {"swap"}, {"show"}, {"show", "next"}, {"show", "1812"}, {"check"}, {"check", "a", "b"}} {
		if _, err := run(args...); !errors.Is(err, errUsage) {
			t.Errorf("%q: %v", args, err)
		}
	}
}
