package vault

import (
	"slices"
	"strings"
	"unicode"

	"golang.org/x/text/unicode/norm"
)

// FoldName brings a person's name into the form in which names are searched: lower case, without diacritics, "đ" as "d",
// words of letters and digits divided by single spaces. Names that differ only in how they were typed fold to the same
// text, and folding twice changes nothing.
func FoldName(name string) string {
	var b strings.Builder
	apart := false
	// Compatibility decomposition takes the diacritics off their letters; case is folded first, since a capital such as
	// "İ" becomes a letter and a mark.
	for _, r := range norm.NFKD.String(strings.ToLower(norm.NFKD.String(name))) {
		switch {
		case unicode.Is(unicode.Mn, r) || unicode.Is(unicode.Me, r):
			continue
		case !unicode.IsLetter(r) && !unicode.IsDigit(r):
			apart = b.Len() > 0
			continue
		case r == 'đ':
			r = 'd'
		}
		if apart {
			b.WriteByte(' ')
			apart = false
		}
		b.WriteRune(r)
	}
	return b.String()
}

// NameHas reports whether each word of part begins a word of the name, whatever their case and diacritics.
func NameHas(name, part string) bool {
	words := strings.Fields(FoldName(name))
	for _, p := range strings.Fields(FoldName(part)) {
		if !slices.ContainsFunc(words, func(w string) bool { return strings.HasPrefix(w, p) }) {
			return false
		}
	}
	return true
}
