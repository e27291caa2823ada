package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"time"

	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// request is one file to judge and what the judge believes, as trien-verify takes them.
type request struct {
	file            io.ReaderAt
	size            int64
	anchors, policy []byte // nil: not given; what is given must be right
	at              string // RFC 3339; "": now
}

// answer is what the page gets: a verdict, or why there is none.
type answer struct {
	JSON  string    `json:"json,omitempty"` // byte for byte what trien-verify --json prints
	Vi    string    `json:"vi,omitempty"`   // what trien-verify prints for people
	En    string    `json:"en,omitempty"`
	Trust *believed `json:"trust,omitempty"`
	Error *failure  `json:"error,omitempty"`
}

// believed says by what was judged, so that the page can show it.
type believed struct {
	Anchors []anchor `json:"anchors"`
	Policy  *policy  `json:"policy,omitempty"`
}

type anchor struct {
	Subject   string    `json:"subject"`
	SHA256    string    `json:"sha256"` // of the certificate (DER)
	NotBefore time.Time `json:"not_before"`
	NotAfter  time.Time `json:"not_after"`
}

type policy struct {
	Origin string `json:"origin"`
	SHA256 string `json:"sha256"` // of the text
	Text   string `json:"text"`
}

// failure is why there is no verdict. The page has the sentence for each code; the detail is technical English.
type failure struct {
	Code   string `json:"code"`
	Detail string `json:"detail"`
}

// The codes of failures. The page's script adds those of a program that ended without an answer.
const (
	badAnchors = "anchors"    // the root certificates given cannot be used
	badPolicy  = "policy"     // the ledger policy given cannot be used
	badTime    = "at"         // the time given is none
	unreadable = "unreadable" // the browser cannot read the file, or no longer
	crashed    = "crashed"    // a fault of this program
)

// answerTo judges, and turns whatever goes wrong into an answer.
func answerTo(ctx context.Context, r request) (a answer) {
	defer func() {
		if cause := recover(); cause != nil {
			a = answer{Error: &failure{crashed, fmt.Sprint(cause)}}
		}
	}()
	trust, why := r.trust()
	if why != nil {
		return answer{Error: why}
	}
	verdict, err := bundle.Verify(ctx, r.file, r.size, trust)
	if err != nil {
		return answer{Error: &failure{unreadable, err.Error()}}
	}
	var asJSON, vi, en bytes.Buffer
	if err := errors.Join(verdict.WriteJSON(&asJSON), verdict.WriteText(&vi, "vi"), verdict.WriteText(&en, "en")); err != nil {
		return answer{Error: &failure{crashed, err.Error()}}
	}
	return answer{JSON: asJSON.String(), Vi: vi.String(), En: en.String(), Trust: describe(trust)}
}

// trust reads what the judge believes. What is given must be right: believing less than asked in silence would help a forger.
func (r request) trust() (t bundle.Trust, why *failure) {
	var err error
	if r.at != "" {
		if t.At, err = time.Parse(time.RFC3339, r.at); err != nil {
			return t, &failure{badTime, err.Error()}
		}
	}
	if r.anchors != nil {
		if t.Anchors, err = certs.ParseAnchors(r.anchors); err != nil {
			return t, &failure{badAnchors, err.Error()}
		}
	}
	if r.policy != nil {
		if t.Policy, err = ledger.ParsePolicy(r.policy); err != nil {
			return t, &failure{badPolicy, err.Error()}
		}
	}
	return t, nil
}

func describe(t bundle.Trust) *believed {
	b := &believed{Anchors: []anchor{}}
	for _, c := range t.Anchors.Certificates() {
		b.Anchors = append(b.Anchors, anchor{
			Subject: c.Subject.String(), SHA256: ledger.SumHash(c.Raw).String(), NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
		})
	}
	if t.Policy != nil {
		text := t.Policy.Text()
		b.Policy = &policy{Origin: t.Policy.Origin(), SHA256: ledger.SumHash(text).String(), Text: string(text)}
	}
	return b
}
