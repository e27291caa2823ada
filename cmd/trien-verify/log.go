package main

import (
	"context"
	"crypto/sha256"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"trien/ledger"
	"trien/ledger/audit"
)

const logHelp = `trien-verify log – theo dõi sổ cái đã công bố
                   follow a published log

Cách dùng / usage:
  trien-verify log URL --policy CHÍNH-SÁCH.txt --state THƯ-MỤC [--max-age 2m]

  URL              https://…/ledger/records, hoặc thư mục chứa bản sao của sổ cái
                   where the log is published, or a folder with a copy of it
  --policy TỆP     chính sách sổ cái, lấy từ nguồn tin cậy
                   the log's policy, from a source that you trust
  --state DIR      nơi giữ điểm kiểm đã thấy; lần sau chỉ đọc phần mới
                   keeps what was seen; the next visit reads only what is new. Without it no fork can be noticed
  --max-age 2m     điểm kiểm mới nhất được phép cũ bao nhiêu; mặc định: không xét
                   how old the newest signed time may be; default: any age
  --full           đọc lại toàn bộ / read all leaves again
  --evidence DIR   nơi ghi chứng cứ khi sổ cái bị tách nhánh; mặc định: --state
                   where evidence of a fork is written; default: --state
  --every 30s      theo dõi liên tục; dừng khi phát hiện sai (1) hoặc bị ngắt
                   go on for ever; ends when something is wrong (1) or when interrupted
  --prometheus TỆP ghi số đo cho Prometheus (textfile) sau mỗi lần
                   write metrics for Prometheus' textfile collector after each visit
  --ca PEM         nơi cấp chứng thư của máy chủ, nếu hệ thống không biết
                   authority of the server's certificate, if the system does not know it
  --json, --lang vi|en

Mã thoát / exit codes:
  0  đạt / all well
  1  bị sửa, tách nhánh, lùi lại / tampered, forked, rolled back
  2  chưa kết luận được (không kết nối được, quá cũ) / cannot say (unreachable, too old)
  3  gọi sai cách / called wrongly
`

// logOptions of a call.
type logOptions struct {
	asked
	audit.Config
	evidence, metrics string
	every             time.Duration
}

func logCommand(ctx context.Context, args []string, stdout, stderr io.Writer) error {
	var o logOptions
	f := o.flags("log")
	f.StringVar(&o.State, "state", "", "")
	f.StringVar(&o.evidence, "evidence", "", "")
	f.StringVar(&o.metrics, "prometheus", "", "")
	f.DurationVar(&o.MaxAge, "max-age", 0, "")
	f.DurationVar(&o.every, "every", 0, "")
	f.BoolVar(&o.Full, "full", false, "")
	rest, done, err := o.parse(f, args, stdout, logHelp)
	if err != nil || done {
		return err
	}
	if err := o.needPolicy(); err != nil {
		return err
	}
	if o.MaxAge < 0 || o.every < 0 {
		return fmt.Errorf("%w: a time is positive", errUsage)
	}
	if o.evidence == "" {
		o.evidence = o.State
	}
	o.Policy = o.policy
	location, err := one(rest, "URL or folder of a log")
	if err != nil {
		return err
	}
	if o.Log, err = o.open(location); err != nil {
		return err
	}
	if o.every > 0 {
		return o.monitor(ctx, stdout, stderr)
	}
	v := o.visit(ctx)
	if err := o.writeMetrics(v, v); err != nil {
		return err
	}
	if err := o.print(stdout, v); err != nil {
		return err
	}
	return concluded(v.outcome)
}

// visited is what a visit came to.
type visited struct {
	audit.Report
	at       time.Time
	outcome  audit.Outcome
	code     string
	err      error
	evidence string // file of it; empty: there is none
}

func (o *logOptions) visit(ctx context.Context) visited {
	v := visited{at: time.Now()}
	v.Report, v.err = audit.Follow(ctx, o.Config)
	var fork *audit.ForkError
	if errors.As(v.err, &fork) && o.evidence != "" {
		path, err := keepEvidence(o.evidence, fork.Fork)
		v.evidence = path
		if err != nil {
			v.err = errors.Join(v.err, fmt.Errorf("writing the evidence: %w", err))
		}
	}
	v.outcome, v.code = audit.Judge(v.err)
	return v
}

// keepEvidence writes a fork to a file that is named by its checkpoints, so that the same fork is written once.
func keepEvidence(dir string, f audit.Fork) (string, error) {
	text, err := f.MarshalText()
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", err
	}
	sum := sha256.Sum256(append(append([]byte{}, f.First...), f.Second...))
	path := filepath.Join(dir, fmt.Sprintf("fork-%x.txt", sum[:8]))
	if _, err := os.Stat(path); !errors.Is(err, fs.ErrNotExist) {
		return path, err
	}
	return path, audit.WriteFile(path, text)
}

// monitor visits until something is wrong or ctx ends. Then the last visit decides.
func (o *logOptions) monitor(ctx context.Context, stdout, stderr io.Writer) error {
	var known visited // the last one that saw a checkpoint
	said := "nothing yet"
	for {
		v := o.visit(ctx)
		if ctx.Err() != nil {
			if known.outcome == "" {
				return concluded(audit.CannotSay)
			}
			return concluded(known.outcome)
		}
		if v.Report.Checkpoint != nil && (v.outcome != audit.CannotSay || v.code == "stale") {
			known = v
		} else {
			known.outcome = v.outcome
		}
		if err := o.writeMetrics(v, known); err != nil {
			// Metrics that grow old are seen by whoever collects them; the watch goes on.
			fmt.Fprintf(stderr, "trien-verify: %v\n", err)
		}
		// What has not changed is not said again.
		if now := string(v.outcome) + v.code; now != said {
			if err := o.print(stdout, v); err != nil {
				return err
			}
			said = now
		}
		if v.outcome == audit.Failed {
			return concluded(v.outcome)
		}
		o.Full = false // once is enough: from then on every leaf is read as it comes
		select {
		case <-ctx.Done():
			return concluded(v.outcome)
		case <-time.After(o.every):
		}
	}
}

func (o *logOptions) print(w io.Writer, v visited) error {
	if o.json {
		return v.writeJSON(w, o.Policy.Origin())
	}
	t := o.teller(w)
	t.headline(v.outcome, pair{
		"Sổ cái chỉ thêm, không sửa, không bớt; mọi mục đã đọc khớp với điểm kiểm đã ký.",
		"The log only grew; every leaf read matches the signed checkpoint.",
	}, v.code, v.err)
	if v.evidence != "" {
		t.line(1, pair{"Chứng cứ: %s (kiểm lại: trien-verify fork)", "Evidence: %s (judge it: trien-verify fork)"}, v.evidence)
	}
	t.line(1, pair{"Sổ cái %s", "Log %s"}, o.Policy.Origin())
	if c := v.Checkpoint; c != nil {
		t.line(1, pair{"Điểm kiểm: %s mục, gốc %s", "Checkpoint: %s leaves, root %s"}, t.number(c.Size), c.Root)
		if v.Newest.IsZero() {
			t.line(1, pair{"Không có thời điểm ký", "No time of signing"})
		} else {
			t.line(1, pair{"Ký lúc %s, %s trước; %d bên chứng kiến", "Signed at %s, %s ago; witnesses: %d"},
				vnTime(v.Newest), max(0, v.at.Sub(v.Newest)).Round(time.Second), len(c.Witnessed))
		}
	}
	if p := v.Previous; p != nil {
		t.line(1, pair{"Lần trước: %s mục; lần này đọc %s mục", "Last visit: %s leaves; read now: %s"}, t.number(p.Size), t.number(v.Read))
	} else {
		t.line(1, pair{"Lần đầu; đã đọc %s mục", "First visit; leaves read: %s"}, t.number(v.Read))
	}
	t.counts(v.Counts)
	return t.err
}

func (t *teller) counts(counts audit.Counts) {
	for _, c := range counts {
		name := map[string]pair{
			ledger.VersionLeafFormat: {"phiên bản", "versions"}, ledger.BatchLeafFormat: {"đợt nhật ký truy cập", "batches of access events"},
			ledger.DestructionLeafFormat: {"hủy", "destructions"}, ledger.KeyLeafFormat: {"đổi khóa", "changes of keys"},
			"other": {"loại khác, không rõ", "of another, unknown format"}, "malformed": {"sai định dạng", "malformed"},
		}[c.Format]
		text := t.say(name)
		if c.Register != "-" {
			text += " (" + cleaned(c.Register) + ")"
		}
		if c.Events > 0 {
			text += fmt.Sprintf(t.say(pair{", %s sự kiện", ", %s events"}), t.number(c.Events))
		}
		t.line(2, pair{"%s: %s", "%s: %s"}, text, t.number(c.Leaves))
	}
}

// logReport is the output for programs, format trien/log-report/v1.
type logReport struct {
	Format       string        `json:"format"`
	Outcome      audit.Outcome `json:"outcome"`
	Code         string        `json:"code,omitempty"`
	Detail       string        `json:"detail,omitempty"`
	Evidence     string        `json:"evidence,omitempty"`
	Log          string        `json:"log"`
	Checked      time.Time     `json:"checked"`
	Size         *uint64       `json:"size,omitempty"`
	Root         string        `json:"root,omitempty"`
	Signed       *time.Time    `json:"signed,omitempty"`
	Witnesses    int           `json:"witnesses"`
	PreviousSize *uint64       `json:"previous_size,omitempty"`
	Consistent   bool          `json:"consistent"`
	Read         uint64        `json:"read"`
	Counts       []countReport `json:"counts,omitempty"`
}

type countReport struct {
	Format   string `json:"format"`
	Register string `json:"register,omitempty"`
	Leaves   uint64 `json:"leaves"`
	Events   uint64 `json:"events,omitempty"`
}

func (v visited) writeJSON(w io.Writer, origin string) error {
	r := logReport{
		Format: "trien/log-report/v1", Outcome: v.outcome, Code: v.code, Evidence: v.evidence, Log: origin,
		Checked: v.at.UTC(), Consistent: v.Consistent, Read: v.Read,
	}
	if v.err != nil {
		r.Detail = v.err.Error()
	}
	if c := v.Checkpoint; c != nil {
		r.Size, r.Root, r.Witnesses = &c.Size, c.Root.String(), len(c.Witnessed)
	}
	if !v.Newest.IsZero() {
		r.Signed = &v.Newest
	}
	if v.Previous != nil {
		r.PreviousSize = &v.Previous.Size
	}
	for _, c := range v.Counts {
		register := c.Register
		if register == "-" {
			register = ""
		}
		r.Counts = append(r.Counts, countReport{c.Format, register, c.Leaves, c.Events})
	}
	return json.NewEncoder(w).Encode(r)
}
