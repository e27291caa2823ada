package api_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	"trien/api/client"
	"trien/api/wire"
	"trien/vault"
	"trien/vault/catalogue"
)

// withRegister is a catalogue to which a register is added, of which one kind is retired.
func withRegister(t *testing.T) *vault.Catalogue {
	t.Helper()
	dir := t.TempDir()
	for _, f := range catalogue.Default().Files() {
		if f.Register == vault.Research {
			text := strings.NewReplacer("register: research", "register: emulation", "research.", "emulation.", "source: research", "source: party",
				`"Nghiên cứu khoa học"`, `"Thi đua, khen thưởng"`, "kind: research.proposal\n", "kind: emulation.proposal\n    retired: true\n").Replace(string(f.Text))
			if err := os.WriteFile(filepath.Join(dir, "emulation.yaml"), []byte(text), 0o600); err != nil {
				t.Fatal(err)
			}
		}
	}
	c, err := catalogue.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// whoever asks is told who answers for a register; what a steward adds is offered, by interface and pages.
func TestCatalogueIsShown(t *testing.T) {
	r := newRig(t, change{vault: func(c *vault.Config) { c.Catalogue = withRegister(t) }})
	registers, err := r.client("en").Registers(t.Context())
	if err != nil || len(registers) != 7 {
		t.Fatalf("%+v, %v", registers, err)
	}
	for _, x := range registers {
		if x.DataOwner.Vi != "Ban Tổ chức Trung ương" || x.BusinessUnit.En == "" || x.Steward.Vi == "" || x.TechnicalContact.Vi == "" || x.Version != 1 {
			t.Errorf("%+v", x)
		}
	}
	last := registers[6]
	if last.Register != "emulation" || !last.Kinds[0].Retired || last.Kinds[1].Retired || last.Kinds[1].Secrecy != "unclassified" {
		t.Errorf("%+v", last)
	}
	if vetting := registers[2].Kinds[0]; !vetting.ClosedToSubject || vetting.Secrecy != "confidential" {
		t.Errorf("%+v", vetting)
	}

	staff := r.signIn("vanthu")
	d, err := staff.OpenDossier(t.Context(), wire.NewDossier{Register: "emulation", Subject: wire.Subject{Name: "Nguyễn Thi Đua"}})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := staff.OpenDossier(t.Context(), wire.NewDossier{Register: "emulations", Subject: wire.Subject{Name: "Nguyễn Thi Đua"}}); !client.HasCode(err, "invalid") {
		t.Errorf("a register that is not there: %v", err)
	}
	for kind, taken := range map[string]bool{"emulation.product": true, "emulation.proposal": false, "research.product": false} {
		_, err := staff.Deposit(t.Context(), client.Deposit{
			Dossier: d.ID, Kind: kind, Title: "Sản phẩm", Origin: "declared", Content: strings.NewReader(`{"a":1}`), Size: 7,
		})
		if taken != (err == nil) || err != nil && !client.HasCode(err, "invalid") {
			t.Errorf("%s: %v", kind, err)
		}
	}
	p := r.reader()
	p.signIn("vanthu")
	_, page := p.get("/dossiers/" + d.ID)
	for text, want := range map[string]bool{
		"Thi đua, khen thưởng": true, `<option value="emulation.product">`: true, `<option value="emulation.proposal">`: false,
	} {
		if strings.Contains(page, text) != want {
			t.Errorf("the dossier's page has %q: %v", text, !want)
		}
	}
}
