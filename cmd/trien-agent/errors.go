package main

import (
	"context"
	"errors"
	"fmt"

	"trien/api/client"
	"trien/signing/token"
)

var (
	errUsage = errors.New("usage")
	errTold  = errors.New("told") // the person knows already
)

// trouble is an error with words for the person.
type trouble struct {
	text phrase
	args []any
	kind error // may be nil
}

func (t *trouble) Error() string { return english.words(t.text, t.args...) }
func (t *trouble) Unwrap() error { return t.kind }

func usage(text phrase, args ...any) error   { return &trouble{text, args, errUsage} }
func refusal(text phrase, args ...any) error { return &trouble{text, args, nil} }

// wrapped says text to the person and keeps cause for the program.
func wrapped(cause error, text phrase, args ...any) error { return &trouble{text, args, cause} }

// kinds of error of the packages below, with what the person can do; the first that fits counts.
var kinds = []struct {
	kind   error
	text   phrase
	detail bool // the error's own words help whoever is asked for help
}{
	{context.Canceled, textStopped, false},
	{errNotEnrolled, textNotEnrolled, false},
	{client.ErrUntrusted, textUntrusted, true},
	{client.ErrDamaged, textTampered, false},
	{client.ErrConnection, textConnection, true},
	{client.ErrAnswer, textAnswer, true},
	{token.ErrPINLocked, textPINLocked, false},
	{token.ErrPIN, textPIN, false},
	{token.ErrNoToken, textNoToken, false},
	{token.ErrFailed, textTokenFailed, true},
}

// explain puts an error into the person's language.
func (a *agent) explain(err error) string {
	var t *trouble
	if errors.As(err, &t) {
		return a.say.words(t.text, t.args...)
	}
	var p *client.Problem
	if errors.As(err, &p) {
		return plain(p.Error())
	}
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			text := a.say.words(k.text)
			if k.detail {
				text += fmt.Sprintf("\n(%s)", plain(err.Error()))
			}
			return text
		}
	}
	return a.say.words(textOther, plain(err.Error()))
}
