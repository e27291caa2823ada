package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/api/client"
	"trien/api/wire"
)

// edit changes a file, and wants it to change.
func edit(t *testing.T, path string, pairs ...string) {
	t.Helper()
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	changed := strings.NewReplacer(pairs...).Replace(string(text))
	if changed == string(text) {
		t.Fatalf("%s does not change", path)
	}
	if err := os.WriteFile(path, []byte(changed), 0o600); err != nil {
		t.Fatal(err)
	}
}

const transcript = `  - kind: training.transcript
    label: {vi: "Bảng điểm", en: "Transcript"}
    secrecy: unclassified
    retention: 20y
    readers: [holder]
    fields:
      - {field: course, label: {vi: "Khóa học", en: "Course"}, type: text, source: training_body}
`

// TestStewardAddsAKind does it with files alone: the running vault takes records of the new kind, says so once in its access record, and does
// not start without the kind once it has records, nor with a file that changed under its old version.
func TestStewardAddsAKind(t *testing.T) {
	dir, files := vaultFolder(t), filepath.Join(t.TempDir(), "registers")
	s := startStandalone(t, dir) // with the built-in registers
	auditor := addAuditor(t, s, dir)
	s.stop()
	run := func(want int, say string, args ...string) {
		t.Helper()
		if out, code := runProgram(t, "trien", args...); code != want || !strings.Contains(out, say) {
			t.Errorf("trien %s: exit %d\n%s", strings.Join(args, " "), code, out)
		}
	}
	run(0, "training.yaml", "catalogue", "export", files)
	run(1, "stands already", "catalogue", "export", files)
	training := filepath.Join(files, "training.yaml")
	edit(t, training, "\nchains:\n", "\n"+strings.Replace(transcript, "20y", "twenty years", 1)+"\nchains:\n", "\nversion: 1\n", "\nversion: 2\n")
	run(1, "retention", "catalogue", "check", files)
	edit(t, training, "twenty years", "20y")
	run(0, "6 registers with 21 kinds", "catalogue", "check", files)
	run(0, "training.transcript: Bảng điểm", "catalogue", "show", files)

	s = startStandalone(t, dir, "--registers", files)
	k := &killed{t: t, dir: dir}
	k.prepare(s)
	staff := s.signIn("vanthu", k.password)
	depositTranscript(t, staff)
	s.stop()
	s = startStandalone(t, dir, "--registers", files) // with the same: nothing to say
	changes := 0
	for _, e := range allEvents(t, s.signIn("kiemtoan", auditor)) {
		if e.Action == "change_catalogue" {
			changes++
		}
	}
	if changes != 2 {
		t.Errorf("%d lines about catalogues, want one for the built-in and one for the steward's", changes)
	}
	s.stop()

	serve := []string{"serve", "--standalone", dir, "--listen", "127.0.0.1:0", "--admin-listen", "127.0.0.1:0"}
	run(1, "training.transcript", serve...)
	edit(t, training, "Bảng điểm", "Bảng điểm khóa học")
	run(1, "register training, version 2", append(serve, "--registers", files)...)
}

// depositTranscript finds the new kind in the interface's list and deposits a record of it.
func depositTranscript(t *testing.T, staff *client.Client) {
	t.Helper()
	var found wire.Register
	registers, err := staff.Registers(t.Context())
	for _, r := range registers {
		if r.Register == "training" {
			found = r
		}
	}
	if err != nil || found.BusinessUnit.Vi != "Cục Đào tạo, bồi dưỡng cán bộ" || found.Version != 2 || found.Kinds[len(found.Kinds)-1].Kind != "training.transcript" {
		t.Fatalf("%+v, %v", found, err)
	}
	d, err := staff.OpenDossier(t.Context(), wire.NewDossier{Register: "training", Subject: wire.Subject{Name: "Nguyễn Minh Họa"}})
	if err != nil {
		t.Fatal(err)
	}
	const content = `{"course":"Lý luận chính trị"}`
	for kind, want := range map[string]bool{"training.transcript": true, "training.degree": false} {
		_, err := staff.Deposit(t.Context(), client.Deposit{
			Dossier: d.ID, Kind: kind, Title: "Bảng điểm", Origin: "declared", Content: strings.NewReader(content), Size: int64(len(content)),
		})
		if (err == nil) != want {
			t.Errorf("depositing %s: %v", kind, err)
		}
	}
}
