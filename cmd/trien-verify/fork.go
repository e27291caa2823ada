package main

import (
	"context"
	"encoding/json"
	"errors"
	"io"

	"trien/ledger"
	"trien/ledger/audit"
)

const forkHelp = `trien-verify fork – xét chứng cứ sổ cái bị tách nhánh
                    judge the evidence of a fork

Cách dùng / usage:
  trien-verify fork CHỨNG-CỨ.txt [--policy CHÍNH-SÁCH.txt]

  --policy TỆP     chính sách (khóa) của sổ cái, lấy từ nguồn tin cậy. Không có thì dùng khóa ghi trong chứng cứ:
                   phải tự đối chiếu khóa đó.
                   the log's policy, from a source that you trust. Without it the keys in the evidence are used: compare them.
  --json, --lang vi|en

Mã thoát / exit codes:
  0  không phải chứng cứ của tách nhánh / no fork is shown
  1  chứng cứ đúng: sổ cái bị tách nhánh hoặc lùi lại / the evidence holds: the log was forked or rolled back
  2  chưa kết luận được: không đúng khóa, không đúng định dạng / cannot say: another key, or malformed
  3  gọi sai cách / called wrongly
`

func forkCommand(_ context.Context, args []string, stdout, _ io.Writer) error {
	var a asked
	f := a.flags("fork")
	rest, done, err := a.parse(f, args, stdout, forkHelp)
	if err != nil || done {
		return err
	}
	path, err := one(rest, "file of evidence")
	if err != nil {
		return err
	}
	text, err := readTrusted(path)
	if err != nil {
		return err
	}
	fork, err := audit.ParseFork(text)
	var verdict audit.ForkVerdict
	if err == nil {
		verdict, err = fork.Judge(a.policy)
	}
	outcome := audit.Failed // of the log: the evidence holds
	switch {
	case errors.Is(err, audit.ErrNoFork):
		outcome = audit.Passed
	case err != nil:
		outcome = audit.CannotSay
	}
	if a.json {
		return errors.Join(writeForkJSON(stdout, outcome, err, verdict), concluded(outcome))
	}
	return errors.Join(a.tellFork(stdout, outcome, err, fork, verdict), concluded(outcome))
}

func (a *asked) tellFork(w io.Writer, outcome audit.Outcome, err error, fork audit.Fork, v audit.ForkVerdict) error {
	t := a.teller(w)
	switch outcome {
	case audit.Failed:
		t.line(0, pair{
			"CHỨNG CỨ ĐÚNG: sổ cái %s bị tách nhánh hoặc lùi lại: %s.", "THE EVIDENCE HOLDS: the log %s was forked or rolled back: %s.",
		}, v.First.Origin, t.say(forkWords[v.Kind]))
	case audit.Passed:
		t.line(0, pair{
			"KHÔNG PHẢI CHỨNG CỨ: hai điểm kiểm này không trái ngược nhau.", "NO EVIDENCE: these two checkpoints do not contradict each other.",
		})
	default:
		t.line(0, pair{"%s: %s", "%s: %s"}, t.say(outcomeWords[outcome]), cleaned(err.Error()))
		return t.err
	}
	for i, c := range []ledger.Checkpoint{v.First, v.Second} {
		label := []pair{{"Thấy trước", "Seen first"}, {"Thấy sau", "Seen second"}}[i]
		t.line(1, pair{"%s: %s mục, gốc %s", "%s: %s leaves, root %s"}, t.say(label), t.number(c.Size), c.Root)
		if !c.Time.IsZero() {
			t.line(2, pair{"sổ cái ký lúc %s", "signed by the log at %s"}, vnTime(c.Time))
		}
		t.line(2, pair{"khóa %s", "key %s"}, c.Key)
	}
	if v.Kind == audit.NotPrefix {
		t.line(1, pair{"Gốc của phần đầu trong cây lớn: %s", "Root of the larger tree's beginning: %s"}, v.Begins)
	}
	t.line(1, pair{"Người theo dõi ghi nhận lúc %s", "Found by the auditor at %s"}, vnTime(fork.Found))
	if a.policy == nil {
		t.line(1, pair{
			"Chú ý: xét theo khóa ghi trong chứng cứ. Hãy đối chiếu khóa trên với khóa mà cơ quan đã công bố.",
			"Mind: judged by the key in the evidence. Compare the key above with the one that the organisation made known.",
		})
	}
	return t.err
}

func writeForkJSON(w io.Writer, outcome audit.Outcome, failed error, v audit.ForkVerdict) error {
	type tree struct {
		Size uint64 `json:"size"`
		Root string `json:"root"`
		Key  string `json:"key"`
	}
	detail := ""
	if failed != nil {
		detail = failed.Error()
	}
	var trees []tree
	if outcome != audit.CannotSay {
		for _, c := range []ledger.Checkpoint{v.First, v.Second} {
			trees = append(trees, tree{c.Size, c.Root.String(), c.Key})
		}
	}
	return json.NewEncoder(w).Encode(struct {
		Format  string         `json:"format"`
		Outcome audit.Outcome  `json:"outcome"`
		Kind    audit.ForkKind `json:"kind,omitempty"`
		Detail  string         `json:"detail,omitempty"`
		Log     string         `json:"log,omitempty"`
		Trees   []tree         `json:"trees,omitempty"`
	}{"trien/fork-report/v1", outcome, v.Kind, detail, v.First.Origin, trees})
}
