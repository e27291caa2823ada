package catalogue_test

import (
	"bytes"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"trien/vault/calendar"
	"trien/vault/catalogue"
)

// The built-in files are part of what a vault commits to: who changes one raises its version, and then this list.
func TestBuiltInFilesAreAsListed(t *testing.T) {
	want, err := os.ReadFile("testdata/built-in.txt")
	if err != nil {
		t.Fatal(err)
	}
	if got := catalogue.Default().Text(); !bytes.Equal(got, want) {
		t.Errorf("the built-in files are\n%s\nraise the version of what has changed, and write this to testdata/built-in.txt", got)
	}
}

// and Annex 1.
func TestEveryRegisterNamesWhoAnswers(t *testing.T) {
	units := map[catalogue.Register]string{
		"party": "Vụ Cơ sở đảng, đảng viên", "cadre": "Vụ Cán bộ", "protection": "Cục Bảo vệ chính trị nội bộ",
		"health": "Vụ Chính sách cán bộ phối hợp với cơ sở y tế được giao nhiệm vụ", "training": "Cục Đào tạo, bồi dưỡng cán bộ",
		"research": "Vụ Nghiên cứu khoa học tổ chức, cán bộ",
	}
	registers := catalogue.Default().Registers()
	if len(registers) != 6 || registers[0].Register != catalogue.Party || registers[5].Register != catalogue.Research {
		t.Fatalf("not the six in the order of Annex 1: %v", catalogue.Default().Codes())
	}
	for _, r := range registers {
		if r.BusinessUnit.Vi != units[r.Register] || r.DataOwner.Vi != "Ban Tổ chức Trung ương" || r.Steward.Vi == "" ||
			r.TechnicalContact.Vi != "Văn phòng Trung ương Đảng (Cục Chuyển đổi số - Cơ yếu)" {
			t.Errorf("%s: %+v, %+v", r.Register, r.BusinessUnit, r.TechnicalContact)
		}
	}
}

// Kinds that records may have from before there were files.
func TestOldKindsStay(t *testing.T) {
	for _, k := range []string{
		"party.member_slip", "party.curriculum_vitae", "party.supplement_slip", "party.admission", "party.transfer", "cadre.curriculum_vitae",
		"cadre.supplement_slip", "cadre.evaluation", "cadre.decision", "protection.vetting_conclusion", "health.summary", "health.class",
		"training.decision", "training.certificate", "training.diploma", "research.proposal", "research.product", "research.acceptance",
	} {
		register, _, _ := strings.Cut(k, ".")
		if _, ok := catalogue.Default().Kind(catalogue.Register(register), catalogue.Kind(k)); !ok {
			t.Errorf("%s is gone", k)
		}
	}
}

// The table of chains with the working days of each row, and what each is counted from.
func TestChainsOfTheRegulation(t *testing.T) {
	const update, create = catalogue.Update, catalogue.Create
	for _, row := range []struct {
		kind  catalogue.Kind
		event catalogue.Event
		start string // the term of who brings it in
		steps string
	}{
		{"party.member_slip", create, "-", "own confirm 5 received, superior appraise 5 received, superior_body approve 5 received"},
		{"party.member_slip", update, "-", "own confirm 5 received, superior appraise 5 received, superior_body approve 5 received"},
		{"cadre.curriculum_vitae", create, "3 occurred", "own confirm 5 occurred, competent approve 5 received"},
		{"cadre.curriculum_vitae", update, "3 occurred", "own confirm 5 occurred, competent approve 5 received"},
		{"health.summary", create, "10 concluded", "medical confirm 10 concluded, medical approve 10 concluded, health_dossier_body authenticate -"},
		{"health.summary", update, "5 examination_end", "medical confirm 5 examination_end, medical approve 5 examination_end, health_dossier_body authenticate -"},
		{"protection.vetting_conclusion", create, "3 concluded", "protection_body confirm 3 concluded, protection_body approve 3 concluded"},
		{"protection.vetting_conclusion", update, "3 concluded", "protection_body confirm 3 concluded, protection_body approve 3 concluded"},
		{"research.product", update, "-", "research_body approve 3 received"},
		{"training.diploma", create, "-", "own confirm 30 course_end result_received, own approve 30 course_end result_received"},
		{"training.diploma", update, "-", "own confirm 30 course_end result_received, own approve 30 course_end result_received"},
	} {
		register, _, _ := strings.Cut(string(row.kind), ".")
		c, ok := catalogue.Default().Chain(catalogue.Register(register), row.event, row.kind)
		if !ok {
			t.Errorf("%s %s: no chain", row.kind, row.event)
			continue
		}
		var steps []string
		for _, s := range c.Steps {
			steps = append(steps, fmt.Sprintf("%s %s %s", s.Unit, s.Act, termOf(s.Term)))
		}
		if got := strings.Join(steps, ", "); got != row.steps || termOf(c.Start.Term) != row.start {
			t.Errorf("%s %s: start %s, steps %s", row.kind, row.event, termOf(c.Start.Term), got)
		}
		if c.Consent != (register == "protection") {
			t.Errorf("%s %s: consent %v", row.kind, row.event, c.Consent)
		}
	}
	branch, _ := catalogue.Default().Chain(catalogue.Party, create, "party.member_slip")
	if !slices.Equal(branch.Steps[0].WithoutCommittee, []catalogue.Capacity{catalogue.BySecretary, catalogue.ByDeputySecretary}) ||
		!branch.Steps[1].Skip || !branch.Steps[1].Adds {
		t.Errorf("a branch without committee, or right below the superior committee: %+v", branch.Steps)
	}
}

func termOf(t catalogue.Term) string {
	if t.Days == 0 {
		return "-"
	}
	return strings.TrimSuffix(fmt.Sprintf("%d %s", t.Days, strings.Trim(fmt.Sprint(t.From), "[]")), " ")
}

// in every register a correction is signed by the head of the unit and approved by who approved the original.
func TestCorrectionsAreSignedByTheHead(t *testing.T) {
	for _, r := range catalogue.Default().Registers() {
		for _, k := range r.Kinds {
			c, ok := r.Chain(catalogue.Correct, k.Kind)
			if !ok || len(c.Steps) != 2 {
				t.Errorf("%s: %+v", k.Kind, c)
				continue
			}
			head, approver := c.Steps[0], c.Steps[1]
			if head.Form != catalogue.BySignature || !slices.Equal(head.Who, []catalogue.Capacity{catalogue.ByHead}) || approver.Unit != catalogue.ApprovingUnit {
				t.Errorf("%s: %+v", k.Kind, c.Steps)
			}
		}
	}
}

func TestTermStartsAtTheLastMomentThatHappened(t *testing.T) {
	term := catalogue.Term{Days: 30, From: []catalogue.Moment{catalogue.CourseEnd, catalogue.ResultReceived}}
	end, diploma := time.Unix(1000, 0), time.Unix(2000, 0)
	happened := map[catalogue.Moment]time.Time{catalogue.Occurred: time.Unix(3000, 0)}
	if at, ok := term.Start(happened); ok {
		t.Errorf("counted from %v, which it is not counted from", at)
	}
	happened[catalogue.CourseEnd] = end
	if at, ok := term.Start(happened); !ok || !at.Equal(end) {
		t.Errorf("%v, %v", at, ok)
	}
	happened[catalogue.ResultReceived] = diploma
	if at, ok := term.Start(happened); !ok || !at.Equal(diploma) {
		t.Errorf("%v, %v", at, ok)
	}
	if _, ok := (catalogue.Term{}).Start(happened); ok {
		t.Error("a term without limit has a start")
	}
}

// Three working days from a conclusion on the last working day before Tết 2027 (4 to 10 February) end with Monday 15 February.
func TestTermIsDueByTheCalendar(t *testing.T) {
	chain, _ := catalogue.Default().Chain(catalogue.Protection, catalogue.Create, "protection.vetting_conclusion")
	term := chain.Steps[1].Term
	if at, ok := term.Due(calendar.Default(), nil); ok {
		t.Errorf("due at %v before anything happened", at)
	}
	concluded := time.Date(2027, 2, 3, 16, 0, 0, 0, calendar.Zone())
	at, ok := term.Due(calendar.Default(), map[catalogue.Moment]time.Time{catalogue.Concluded: concluded})
	if want := time.Date(2027, 2, 16, 0, 0, 0, 0, calendar.Zone()); !ok || !at.Equal(want) {
		t.Errorf("due at %v, want %v", at, want)
	}
}

// R-12.6e: a foreign diploma needs its date of recognition before it is a basis, and not before that; one of this country never does.
func TestForeignDiplomaNeedsRecognition(t *testing.T) {
	k, _ := catalogue.Default().Kind(catalogue.Training, "training.diploma")
	values := map[string]string{
		"course": "Thạc sĩ", "institution": "X", "mode": "Tập trung", "course_end": "2024-06-30", "result": "Khá", "number": "1", "foreign": "true",
		"verified_by": "direct_unit",
	}
	missing := func(at catalogue.Stage) string {
		var names []string
		for _, f := range k.Missing(values, at) {
			names = append(names, f.Field)
		}
		return strings.Join(names, " ")
	}
	if got := missing(catalogue.Making); got != "" {
		t.Errorf("to make the record: %s", got)
	}
	if got := missing(catalogue.AsBasis); got != "recognition_date" {
		t.Errorf("as a basis: %q", got)
	}
	values["recognition_date"] = "2025-01-01"
	if got := missing(catalogue.AsBasis); got != "" {
		t.Errorf("recognised: %s", got)
	}
	values["recognition_date"], values["foreign"] = "", "false"
	if got := missing(catalogue.AsBasis); got != "" {
		t.Errorf("of this country: %s", got)
	}
	delete(values, "course")
	if got := missing(catalogue.Making); got != "course" {
		t.Errorf("without a course: %q", got)
	}
}

func TestVettingIsClosed(t *testing.T) {
	r, _ := catalogue.Default().Register(catalogue.Protection)
	k, _ := r.Kind("protection.vetting_conclusion")
	if r.Subject.Shows() != catalogue.Closed || !k.ClosedToSubject || k.Secrecy != catalogue.Confidential || !slices.Equal(k.Readers, []catalogue.Reader{catalogue.ReadOwner}) {
		t.Errorf("%+v, %+v", r.Subject, k)
	}
}

// builtIn reads a built-in file, to be changed.
func builtIn(t *testing.T, name string) string {
	t.Helper()
	text, err := os.ReadFile(filepath.Join("registers", name))
	if err != nil {
		t.Fatal(err)
	}
	return string(text)
}

func write(t *testing.T, dir, name, text string) {
	t.Helper()
	if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o600); err != nil {
		t.Fatal(err)
	}
}

func TestFolderReplacesAndAdds(t *testing.T) {
	dir := t.TempDir()
	training := strings.Replace(builtIn(t, "training.yaml"), "  - kind: training.diploma\n", `  - kind: training.transcript
    label: {vi: "Bảng điểm", en: "Transcript"}
    secrecy: unclassified
    retention: 20y
    readers: [holder]
  - kind: training.diploma
    retired: true
`, 1)
	write(t, dir, "training.yaml", strings.Replace(training, "version: 1", "version: 2", 1))
	emulation := strings.NewReplacer("register: research", "register: emulation", "research.", "emulation.", "source: research", "source: party").
		Replace(builtIn(t, "research.yaml"))
	write(t, dir, "emulation.yaml", emulation)
	write(t, dir, ".swp", "an editor's")
	c, err := catalogue.Load(dir)
	if err != nil {
		t.Fatal(err)
	}
	if got := fmt.Sprint(c.Codes()); got != "[party cadre protection health training research emulation]" {
		t.Error(got)
	}
	transcript, ok := c.Kind(catalogue.Training, "training.transcript")
	years, forYears := transcript.Retention.Years()
	if !ok || years != 20 || !forYears {
		t.Errorf("%+v", transcript)
	}
	diploma, _ := c.Kind(catalogue.Training, "training.diploma")
	if _, ok := c.Chain(catalogue.Training, catalogue.Create, "training.transcript"); !ok || !diploma.Retired {
		t.Errorf("no chain for the new kind, or not retired: %+v", diploma)
	}
	if c.Sum() == catalogue.Default().Sum() || !bytes.Contains(c.Text(), []byte("\ntraining 2 ")) || !bytes.Contains(c.Text(), []byte("\nemulation 1 ")) {
		t.Errorf("%s", c.Text())
	}
	if _, ok := catalogue.Default().Kind(catalogue.Training, "training.transcript"); ok {
		t.Error("loading changed the built-in catalogue")
	}
}

// What is exported and not changed is the same catalogue.
func TestExportedFilesAreTheSame(t *testing.T) {
	dir := t.TempDir()
	for _, f := range catalogue.Default().Files() {
		write(t, dir, string(f.Register)+".yaml", string(f.Text))
	}
	c, err := catalogue.Load(dir)
	if err != nil || c.Sum() != catalogue.Default().Sum() {
		t.Errorf("%v", err)
	}
}

func TestStrictFiles(t *testing.T) {
	for name, tt := range map[string]struct{ old, text, want string }{
		"unknown key":            {"version: 1\n", "version: 1\nowner: x\n", `unknown field "owner"`},
		"unknown key of a kind":  {"    retention: permanent\n", "    retention: permanent\n    colour: red\n", `unknown field "colour"`},
		"key twice":              {"version: 1\n", "version: 1\nversion: 2\n", "already defined"},
		"no version":             {"version: 1\n", "", "training.yaml:1: version: "},
		"another's file":         {"register: training\n", "register: trainings\n", "training.yaml:3: register: the file of register"},
		"no English":             {`en: "Diploma"`, `en: ""`, "label.en: is missing"},
		"two lines":              {`en: "Diploma"`, `en: "Dip\nloma"`, "label.en: is not one line"},
		"kind twice":             {"training.diploma", "training.certificate", `"training.certificate" stands twice`},
		"kind of another":        {"training.diploma", "party.diploma", "kinds[2].kind: "},
		"no such secrecy":        {"secrecy: unclassified", "secrecy: open", `secrecy: "open" is none of`},
		"no such retention":      {"retention: permanent", "retention: 0y", "retention: "},
		"no such reader":         {"readers: [holder,", "readers: [everybody,", `readers[0]: "everybody"`},
		"no such source":         {"source: deciding_body}", "source: nobody}", "fields[0].source: "},
		"source twice":           {"{source: recognition_body,", "{source: training_body,", `"training_body" stands twice`},
		"source like a register": {"{source: recognition_body,", "{source: cadre,", `"cadre" stands twice`},
		"field twice":            {"field: institution", "field: course", `fields[1].field: "course" stands twice`},
		"no such type":           {"type: date", "type: day", `type: "day"`},
		"choices of a text":      {"        type: choice\n", "        type: text\n", "choices: belong"},
		"condition on nothing":   {"when: {field: foreign,", "when: {field: home,", `when.field: "home"`},
		"condition on a text":    {"when: {field: foreign,", "when: {field: course,", "neither of type yes_no"},
		"condition never holds":  {`is: "true"`, `is: "yes"`, "when.is: "},
		"no such event":          {"event: update", "event: change", `event: "change"`},
		"no chain":               {"event: update", "event: update\n    kinds: [training.diploma]", "training.decision has no chain of event update"},
		"chain of no kind":       {"event: update", "event: update\n    kinds: [training.degree]", `kinds[0]: "training.degree"`},
		"two chains":             {"event: update", "event: create", "a second chain of event"},
		"no such relation":       {"unit: approver_of_original", "unit: boss", `unit: "boss"`},
		"no such capacity":       {"who: [head, delegate]", "who: [chief]", `who[0]: "chief"`},
		"nobody acts":            {"        who: [head, delegate]\n", "", "who: is missing"},
		"no such act":            {"act: confirm", "act: look", `act: "look"`},
		"last only confirms":     {"act: approve", "act: confirm", "the last step approves"},
		"no such form":           {"form: either", "form: oral", `form: "oral"`},
		"step twice":             {"step: approve", "step: confirm", `"confirm" stands twice`},
		"no days":                {"{days: 30, from: [course_end, result_received]}", "{from: [course_end]}", "days and from belong together"},
		"from nothing":           {"{days: 30, from: [course_end, result_received]}", "{days: 30}", "days and from belong together"},
		"no such moment":         {"from: [course_end,", "from: [monday,", `from[0]: "monday"`},
		"too long":               {"days: 30", "days: 3000", "days: is between"},
		"never due":              {"every_months: 3", "every_months: 0", "every_months: "},
		"half a showing":         {"subject: {show: shown}", "subject: {show: closed}", "subject: basis.vi and basis.en"},
		"two documents":          {"\nduties:", "\n---\nduties:", "more than one document"},
		"line ends of DOS":       {"version: 1\n", "version: 1\r\n", "Unix line ends"},
	} {
		t.Run(name, func(t *testing.T) {
			text := strings.Replace(builtIn(t, "training.yaml"), tt.old, tt.text, 1)
			if text == builtIn(t, "training.yaml") {
				t.Fatal("nothing was replaced")
			}
			dir := t.TempDir()
			write(t, dir, "training.yaml", text)
			_, err := catalogue.Load(dir)
			if !errors.Is(err, catalogue.ErrFile) || !strings.Contains(err.Error(), tt.want) || !strings.Contains(err.Error(), filepath.Join(dir, "training.yaml")) {
				t.Errorf("got %v, want one that says %q", err, tt.want)
			}
		})
	}
}

// The line that is told is the line that is wrong.
func TestErrorsNameTheLine(t *testing.T) {
	text := strings.Replace(builtIn(t, "training.yaml"), "unit: approver_of_original", "unit: boss", 1)
	line := 1 + strings.Count(text[:strings.Index(text, "unit: boss")], "\n")
	dir := t.TempDir()
	write(t, dir, "training.yaml", text)
	_, err := catalogue.Load(dir)
	if want := fmt.Sprintf("training.yaml:%d: chains[2].steps[1].unit: ", line); err == nil || !strings.Contains(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

func TestFolderHoldsRegistersAlone(t *testing.T) {
	for name, files := range map[string][]string{
		"nothing": nil, "a note": {"party.yaml", "README.md"}, "another ending": {"party.yml"},
	} {
		dir := t.TempDir()
		for _, f := range files {
			write(t, dir, f, builtIn(t, "party.yaml"))
		}
		if _, err := catalogue.Load(dir); !errors.Is(err, catalogue.ErrFile) {
			t.Errorf("%s: %v", name, err)
		}
	}
	dir := t.TempDir()
	write(t, dir, "party.yaml", builtIn(t, "party.yaml")+strings.Repeat("#\n", 1<<19))
	if _, err := catalogue.Load(dir); err == nil || !strings.Contains(err.Error(), "longer than") {
		t.Errorf("%v", err)
	}
	if _, err := catalogue.Load(filepath.Join(dir, "nowhere")); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("%v", err)
	}
}
