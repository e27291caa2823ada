package bundle

import (
	"fmt"
	"strconv"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"golang.org/x/text/unicode/norm"
)

// vietnam is the one time zone of the country; a fixed zone needs no zone database on the judge's machine.
var vietnam = time.FixedZone("+07:00", 7*60*60)

// vnDate writes dd/mm/yyyy.
func vnDate(t time.Time) string { return t.In(vietnam).Format("02/01/2006") }

// vnTime writes dd/mm/yyyy HH:MM:SS (+07:00).
func vnTime(t time.Time) string { return t.In(vietnam).Format("02/01/2006 15:04:05 (-07:00)") }

// vnBirthDate writes an ISO date the Vietnamese way and leaves anything else, such as a year, as it is.
func vnBirthDate(s string) string {
	t, err := time.Parse(time.DateOnly, s)
	if err != nil {
		return s
	}
	return t.Format("02/01/2006")
}

// vnNumber groups thousands with dots.
func vnNumber[N int | int64 | uint64](n N) string { return grouped(n, ".") }

func grouped[N int | int64 | uint64](n N, separator string) string {
	digits := fmt.Sprint(n)
	for i := len(digits) - 3; i > 0 && digits[i-1] != '-'; i -= 3 {
		digits = digits[:i] + separator + digits[i:]
	}
	return digits
}

// vnSize writes a size for people: "812 byte", "1,4 MB".
func vnSize(n int64) string {
	if n < 10_000 {
		return vnNumber(n) + " byte"
	}
	value, unit := float64(n)/1e3, "KB"
	if n >= 1_000_000 {
		value, unit = float64(n)/1e6, "MB"
	}
	text := strconv.FormatFloat(value, 'f', 1, 64)
	return strings.TrimSuffix(strings.Replace(text, ".", ",", 1), ",0") + " " + unit
}

// printed brings a text from outside to one visible line: NFC, single spaces, no control and no direction mark. What a stranger
// wrote into a file must not move a clerk's cursor or turn a line around.
func printed(s string) string {
	s = strings.Map(func(r rune) rune {
		switch {
		case unicode.IsSpace(r):
			return ' '
		case unicode.IsPrint(r):
			return r
		}
		return -1
	}, strings.ToValidUTF8(s, "\u25a1"))
	return norm.NFC.String(strings.Join(strings.Fields(s), " "))
}

// shortened cuts a printed text to at most limit bytes, at a letter.
func shortened(s string, limit int) string {
	if len(s) <= limit {
		return s
	}
	const more = "…"
	cut := limit - len(more)
	for cut > 0 && (!utf8.RuneStart(s[cut]) || !norm.NFC.PropertiesString(s[cut:]).BoundaryBefore()) {
		cut--
	}
	return strings.TrimSpace(s[:cut]) + more
}
