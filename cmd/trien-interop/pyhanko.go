package main

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"trien/signing"
)

// foundSignature is pyHanko's judgement of a signature or document time-stamp, and where judge.py left its parts.
type foundSignature struct {
	Field     string   `json:"field"`
	Type      string   `json:"type"`
	SubFilter string   `json:"subfilter"`
	Verdict   string   `json:"verdict"`
	Why       string   `json:"why"`
	Profile   []string `json:"profile"`
	Coverage  string   `json:"coverage"`
	Changes   string   `json:"changes"`
	Lock      string   `json:"lock"` // what the default policy says of a locked field that the stricter one finds unchanged
	ByteRange []int64  `json:"byte_range"`
	Container string   `json:"container"`
	Token     string   `json:"token"`
	Stamped   string   `json:"stamped"`
}

type judgeQuestion struct {
	Path    string `json:"path"`
	Level   string `json:"level,omitempty"` // empty: only whether the strict reader takes the file
	Before  int    `json:"before"`
	Dump    string `json:"dump"`
	Lenient bool   `json:"lenient"`
}

type judgeAnswer struct {
	Problem    string           `json:"problem"`
	Signatures []foundSignature `json:"signatures"`
}

// pyHanko asks for the verdict of its strict reader. Hybrid files, and inputs that it already did not take before we signed them, it only judges when
// told to be lenient; then that is the exception.
func (b *bench) pyHanko(path, level string, base baseline) ([]foundSignature, verdict, error) {
	dump := filepath.Join(b.folder, "parts")
	if err := os.RemoveAll(dump); err != nil {
		return nil, verdict{}, err
	}
	if err := os.Mkdir(dump, 0o700); err != nil {
		return nil, verdict{}, err
	}
	asked := level
	if level == levelTwice {
		asked = signing.LevelLTA
	}
	q := judgeQuestion{Path: path, Level: asked, Before: base.before, Dump: dump}
	var a judgeAnswer
	if err := b.judge.ask(q, &a); err != nil {
		return nil, verdict{}, err
	}
	var excused []string
	var strict string // its complaint
	switch same := number.ReplaceAllString(a.Problem, "#") == number.ReplaceAllString(base.pyHanko, "#"); {
	case strings.Contains(a.Problem, "hybrid-reference"):
		excused = []string{"pyhanko-hybrid"}
	case a.Problem != "" && same:
		excused = []string{"input-flaw"}
	}
	if excused != nil {
		strict = a.Problem
		q.Lenient, a = true, judgeAnswer{}
		if err := b.judge.ask(q, &a); err != nil {
			return nil, verdict{}, err
		}
	}
	if a.Problem != "" {
		return nil, rejected("%s", a.Problem), nil
	}
	if slices.ContainsFunc(a.Signatures, func(s foundSignature) bool { return s.Lock != "" }) {
		excused = append(excused, "pyhanko-lock")
	}
	v := weigh(a.Signatures, level, base.before)
	if v.Excused = excused; q.Lenient {
		v.Detail = shorten("strict: " + strict + "; lenient: " + v.Detail)
	}
	return a.Signatures, v, nil
}

// weigh is strict: every signature passed with the coverage and the later changes that its place in the document allows.
func weigh(found []foundSignature, level string, before int) verdict {
	signatures, stamps := counts(level)
	if len(found) != before+signatures+stamps {
		return rejected("%d signatures", len(found))
	}
	var says []string
	for i, s := range found {
		coverage := "ENTIRE_REVISION"
		if i == len(found)-1 && level != signing.LevelLT {
			coverage = "ENTIRE_FILE"
		}
		text := strings.TrimSpace(fmt.Sprintf("%s %s %s %s %s", s.Field, s.Verdict, s.Coverage, s.Changes, s.Why))
		says = append(says, text)
		if s.Verdict != "PASSED" || len(s.Profile) > 0 || s.Coverage != coverage || !slices.Contains([]string{"NONE", "LTA_UPDATES", "FORM_FILLING"}, s.Changes) {
			return rejected("%s %v", text, s.Profile)
		}
	}
	return accepted(strings.Join(says, "; "))
}
