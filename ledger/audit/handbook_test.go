package audit_test

import (
	"bytes"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"trien/ledger/audit"
)

// The commands of AUDIT.md are run with a shell, as an auditor would, on a log of ours; its example of an inventory is one.
func TestHandbook(t *testing.T) {
	doc, err := os.ReadFile(filepath.Join("..", "AUDIT.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```sh\n(.*?)```\n```output\n(.*?)```\n").FindAllStringSubmatch(string(doc), -1)
	if len(blocks) != 3 {
		t.Fatalf("%d examples in AUDIT.md", len(blocks))
	}
	r := newRig(t, 300)
	r.write("policy.txt", r.policy.Text())
	for _, b := range blocks {
		cmd := exec.CommandContext(t.Context(), "sh", "-eu", "-c", b[1])
		cmd.Dir, cmd.Env = r.dir, append(os.Environ(), "LC_ALL=C")
		got, err := cmd.CombinedOutput()
		if err != nil || string(got) != b[2] {
			t.Errorf("%s\nprints (%v)\n%s\nAUDIT.md says\n%s", b[1], err, got, b[2])
		}
	}
	_, example, _ := strings.Cut(string(doc), "```\n"+audit.InventoryFormat+"\n")
	example, _, _ = strings.Cut(example, "```")
	i, err := audit.ReadInventory(strings.NewReader(audit.InventoryFormat + "\n" + example))
	if err != nil {
		t.Fatal(err)
	}
	var again bytes.Buffer
	if err := audit.WriteInventory(&again, i); err != nil || again.String() != audit.InventoryFormat+"\n"+example {
		t.Errorf("the example of an inventory: %v\n%s", err, again.String())
	}
}
