package vault

import (
	"strings"
	"unicode"
)

// printable drops what cannot be shown on one line: control and format characters, line breaks, bytes that are no UTF-8.
func printable(s string) string {
	return strings.Map(func(r rune) rune {
		if r == unicode.ReplacementChar || !unicode.IsPrint(r) {
			return -1
		}
		return r
	}, s)
}
