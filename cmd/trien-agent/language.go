package main

import (
	"errors"
	"fmt"
	"strings"
	"unicode"
)

// phrase is a text in both languages.
type phrase struct{ vi, en string }

type language string

const (
	vietnamese language = "vi"
	english    language = "en"
)

// words gives a phrase its language and its arguments.
func (l language) words(p phrase, args ...any) string {
	text := p.vi
	if l == english {
		text = p.en
	}
	if len(args) == 0 {
		return text
	}
	return fmt.Sprintf(text, args...)
}

// languageOf finds --lang before anything else is read, so that even a usage error is in the right language.
func languageOf(args []string) language {
	for i, arg := range args {
		name, value, joined := strings.Cut(strings.TrimLeft(arg, "-"), "=")
		if name != "lang" || !strings.HasPrefix(arg, "-") {
			continue
		}
		if !joined && i+1 < len(args) {
			value = args[i+1]
		}
		if value == string(english) {
			return english
		}
	}
	return vietnamese
}

func knownLanguage(value string) error {
	if value != string(vietnamese) && value != string(english) {
		return errors.New("vi | en")
	}
	return nil
}

// plain makes text from elsewhere safe to show: no control characters, which could repaint the terminal and make one
// document look like another, and no marks that turn the direction of writing.
func plain(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsControl(r) || unicode.Is(unicode.Bidi_Control, r) || r == unicode.ReplacementChar {
			return '�'
		}
		return r
	}, s)
}

// spaced breaks hex digits into groups that two people can compare.
func spaced(hex string) string {
	var b strings.Builder
	for i, r := range hex {
		if i > 0 && i%8 == 0 {
			b.WriteByte(' ')
		}
		b.WriteRune(r)
	}
	return b.String()
}

// size writes bytes for people.
func size(bytes int64) string {
	switch {
	case bytes < 1000:
		return fmt.Sprintf("%d B", bytes)
	case bytes < 1_000_000:
		return fmt.Sprintf("%.1f KB", float64(bytes)/1e3)
	default:
		return fmt.Sprintf("%.1f MB", float64(bytes)/1e6)
	}
}
