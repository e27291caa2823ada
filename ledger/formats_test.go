package ledger_test

import (
	"os"
	"os/exec"
	"regexp"
	"testing"

	"github.com/google/uuid"

	"trien/ledger"
)

// TestFormatsExample runs the commands of FORMATS.md with a shell, as a stranger would, and compares what they print.
func TestFormatsExample(t *testing.T) {
	doc, err := os.ReadFile("FORMATS.md")
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```\n```output\n(.*?)```\n").FindAllStringSubmatch(string(doc), -1)
	if len(blocks) != 10 {
		t.Fatalf("%d examples in FORMATS.md", len(blocks))
	}
	for _, b := range blocks {
		cmd := exec.Command("sh", "-eu", "-c", b[1])
		cmd.Dir = "testdata"
		got, err := cmd.CombinedOutput()
		if err != nil || string(got) != b[2] {
			t.Errorf("%s\nprints (%v)\n%s\nFORMATS.md says\n%s", b[1], err, got, b[2])
		}
	}
	// The identity shown is the one that the code computes.
	identity := ledger.VersionIdentity(uuid.MustParse("01981a2b-3c4d-7e5f-8a9b-0c1d2e3f4a5b")).String()
	if !regexp.MustCompile("(?m)^" + identity + "$").Match(doc) {
		t.Errorf("FORMATS.md does not show identity %s", identity)
	}
}
