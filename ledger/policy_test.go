package ledger_test

import (
	"bytes"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"filippo.io/torchwood"

	"trien/ledger"
)

func TestPolicyText(t *testing.T) {
	for _, name := range []string{"policy.txt", "witnessed-policy.txt", "rotated-policy.txt"} {
		text := readGolden(t, name)
		p := must[*ledger.Policy](t)(ledger.ParsePolicy(text))
		if !bytes.Equal(p.Text(), text) || p.Origin() != sampleOrigin {
			t.Errorf("%s: origin %q, text\n%s", name, p.Origin(), p.Text())
		}
		p.Text()[0] = 'x'
		if !bytes.Equal(p.Text(), text) {
			t.Errorf("%s: a caller changed the policy", name)
		}
		if _, err := torchwood.ParsePolicy(text); err != nil {
			t.Errorf("%s: others cannot read it: %v", name, err)
		}
	}
}

func TestPolicyRefusesTexts(t *testing.T) {
	_, vkey := sampleSigner(t)
	_, other, _ := seedKey("other.example", 1, "other")
	_, asLog, _ := seedKey("witness.example/w1", 1, "w1")
	_, w1, _ := seedKey("witness.example/w1", 4, "w1")
	_, w2, _ := seedKey("witness.example/w2", 4, "w2")
	_, again, _ := seedKey("witness.example/again", 4, "w1")
	_, older, _ := seedKey(sampleOrigin, 1, "older log")
	_, timeOrigin, _ := seedKey("cosignature/v1", 1, "older log")
	_, logTwice, _ := seedKey("witness.example/log", 4, "sample log")
	log, q := "log "+vkey+"\n", "quorum none\n"
	tests := map[string]string{
		"empty":                  "",
		"no log":                 q,
		"no quorum":              log,
		"two logs":               log + "log " + other + "\n" + q,
		"two quorums":            log + q + q,
		"no last newline":        strings.TrimSuffix(log+q, "\n"),
		"empty line":             log + "\n" + q,
		"comment":                "# ours\n" + log + q,
		"trailing comment":       log + "quorum none # ours\n",
		"carriage return":        log + "quorum none\r\n",
		"two spaces":             log + "quorum  none\n",
		"tab":                    log + "quorum\tnone\n",
		"trailing space":         log + "quorum none \n",
		"url of a log":           "log " + vkey + " https://vault.example\n" + q,
		"log after witness":      log + "witness w1 " + w1 + "\nlog " + older + "\nquorum w1\n",
		"log key twice":          log + log + q,
		"origin of a time line":  "log " + timeOrigin + "\n" + q,
		"unknown line":           log + "monitor x\n" + q,
		"unknown quorum":         log + "quorum w1\n",
		"quorum before log":      q + log,
		"key hash":               "log " + strings.Replace(vkey, "+79b1", "+79b2", 1) + "\n" + q,
		"key hash in capitals":   "log " + strings.Replace(vkey, "3c5a", "3C5A", 1) + "\n" + q,
		"key stray bits":         "log " + strings.TrimSuffix(vkey, "l") + "m\n" + q,
		"log key of a witness":   "log " + w1 + "\n" + q,
		"witness key of a log":   log + "witness w1 " + asLog + "\nquorum w1\n",
		"unused witness":         log + "witness w1 " + w1 + "\n" + q,
		"unused second":          log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\nquorum w1\n",
		"unused group":           log + "witness w1 " + w1 + "\ngroup g all w1\n" + q,
		"same name twice":        log + "witness w1 " + w1 + "\nwitness w1 " + w2 + "\ngroup g all w1\nquorum g\n",
		"same key twice":         log + "witness w1 " + w1 + "\nwitness w2 " + again + "\ngroup g all w1 w2\nquorum g\n",
		"log is its own witness": log + "witness w1 " + logTwice + "\nquorum w1\n",
		"member twice":           log + "witness w1 " + w1 + "\ngroup g all w1 w1\nquorum g\n",
		"member of two groups":   log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\ngroup g any w1 w2\ngroup h all g w1\nquorum h\n",
		"group of itself":        log + "witness w1 " + w1 + "\ngroup g all g w1\nquorum g\n",
		"group reuses a name":    log + "witness w1 " + w1 + "\ngroup w1 all w1\nquorum w1\n",
		"member none":            log + "witness w1 " + w1 + "\ngroup g all w1 none\nquorum g\n",
		"witness named none":     log + "witness none " + w1 + "\nquorum none\n",
		"group without members":  log + "group g all\nquorum g\n",
		"threshold zero":         log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\ngroup g 0 w1 w2\nquorum g\n",
		"threshold one":          log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\ngroup g 1 w1 w2\nquorum g\n",
		"threshold all":          log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\ngroup g 2 w1 w2\nquorum g\n",
		"threshold too high":     log + "witness w1 " + w1 + "\nwitness w2 " + w2 + "\ngroup g 3 w1 w2\nquorum g\n",
		"threshold with zero":    strings.Replace(string(readGolden(t, "witnessed-policy.txt")), "units 2", "units 02", 1),
		"any of one":             log + "witness w1 " + w1 + "\ngroup g any w1\nquorum g\n",
		"witness after group":    log + "witness w1 " + w1 + "\ngroup g all w1\nwitness w2 " + w2 + "\ngroup h all g w2\nquorum h\n",
		"too long":               log + strings.Repeat("x", 40<<10) + "\n" + q,
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			if _, err := ledger.ParsePolicy([]byte(bad)); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("err %v", err)
			}
		})
	}
}

func TestPolicyWitnesses(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.rotated))
	_, current := sampleSigner(t)
	_, older := signerOf(t, sampleOrigin, "older log")
	if keys := p.LogKeys(); !slices.Equal(keys, []string{current, older}) || p.Origin() != sampleOrigin {
		t.Errorf("keys %q", keys)
	}
	_, w1, _ := seedKey("witness.example/w1", 4, "w1")
	_, w2, _ := seedKey("witness.example/w2", 4, "w2")
	_, w3, _ := seedKey("witness.example/w3", 4, "w3")
	want := []ledger.Witness{
		{Name: "w1", VerifierKey: w1, URL: "https://witness.example/w1"},
		{Name: "w2", VerifierKey: w2, URL: "http://192.0.2.2:7380"},
		{Name: "w3", VerifierKey: w3},
	}
	if got := p.Witnesses(); !slices.Equal(got, want) {
		t.Errorf("witnesses %+v", got)
	}
	p.Witnesses()[0].URL = "https://elsewhere.example"
	if got := p.Witnesses(); !slices.Equal(got, want) {
		t.Errorf("a caller changed the policy: %+v", got)
	}
}

func TestPolicyWitnessURLs(t *testing.T) {
	_, vkey := sampleSigner(t)
	_, w1, _ := seedKey("witness.example/w1", 4, "w1")
	parse := func(url string) error {
		_, err := ledger.ParsePolicy(fmt.Appendf(nil, "log %s\nwitness w1 %s %s\nquorum w1\n", vkey, w1, url))
		return err
	}
	for _, url := range []string{"https://witness.example", "https://witness.example:8443/a/b", "http://127.0.0.1:7380", "http://[::1]:7380/w", "https://xn--kimng-4ta.example/a%20b"} {
		if err := parse(url); err != nil {
			t.Errorf("%q: %v", url, err)
		}
	}
	for _, url := range []string{
		"https://witness.example/", "https://witness.example/a/", "witness.example", "//witness.example", "ftp://witness.example", "https://", "https:///a",
		"HTTPS://witness.example", "https://Witness.example", "https://user@witness.example", "https://u:p@witness.example", "https://witness.example?a=b",
		"https://witness.example#a", "https://witness.example/?", "https://witness.example/#", "https://witness.example/ä", "https://witness.example/\x7f",
		"https://witness.example:port", "https://:8443", "https://witness.example/%zz", "https://witness.example extra", "https://w.example/" + strings.Repeat("a", 255),
		"mailto:w@witness.example", "https:witness.example",
	} {
		if err := parse(url); !errors.Is(err, ledger.ErrMalformed) {
			t.Errorf("%q: %v", url, err)
		}
	}
}

func TestPolicyLimits(t *testing.T) {
	_, vkey := sampleSigner(t)
	build := func(n int) []byte {
		var b, names strings.Builder
		fmt.Fprintf(&b, "log %s\n", vkey)
		for i := range n {
			_, w, _ := seedKey(fmt.Sprintf("witness.example/%d", i), 4, fmt.Sprint(i))
			fmt.Fprintf(&b, "witness w%d %s\n", i, w)
			fmt.Fprintf(&names, " w%d", i)
		}
		fmt.Fprintf(&b, "group g any%s\nquorum g\n", names.String())
		return []byte(b.String())
	}
	if _, err := ledger.ParsePolicy(build(32)); err != nil {
		t.Errorf("32 witnesses: %v", err)
	}
	if _, err := ledger.ParsePolicy(build(33)); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("33 witnesses: %v", err)
	}
	keys := func(n int) []byte {
		var b strings.Builder
		for i := range n {
			_, k, _ := seedKey(sampleOrigin, 1, fmt.Sprint(i))
			fmt.Fprintf(&b, "log %s\n", k)
		}
		return []byte(b.String() + "quorum none\n")
	}
	if _, err := ledger.ParsePolicy(keys(16)); err != nil {
		t.Errorf("16 keys of the log: %v", err)
	}
	if _, err := ledger.ParsePolicy(keys(17)); !errors.Is(err, ledger.ErrMalformed) {
		t.Errorf("17 keys of the log: %v", err)
	}
}

func TestOpenCheckpointWitnessed(t *testing.T) {
	s := newSample(t)
	p := must[*ledger.Policy](t)(ledger.ParsePolicy(s.witnesses))
	c := must[ledger.Checkpoint](t)(p.OpenCheckpoint(s.witnessed))
	if c.Origin != sampleOrigin || c.Size != 7 || len(c.Witnessed) != 2 || c.Witnessed[0].Unix() != 1795426216 || c.Witnessed[1].Unix() != 1795426217 {
		t.Errorf("checkpoint %+v", c)
	}
	theirs, err := torchwood.ParsePolicy(s.witnesses)
	if err != nil {
		t.Fatal(err)
	}
	if _, _, err := torchwood.VerifyCheckpoint(s.witnessed, theirs); err != nil {
		t.Errorf("others do not accept it: %v", err)
	}
}

func TestOpenCheckpointRefuses(t *testing.T) {
	s := newSample(t)
	text := string(s.receipt.Checkpoint)
	noteText := text[:strings.Index(text, "\n\n")+1]
	block := strings.SplitAfter(string(s.witnessed[len(text):]), "\n")
	w1, w3 := block[0], block[1]
	_, wrongKey, _ := seedKey(sampleOrigin, 1, "not the log")
	otherPolicy := must[*ledger.Policy](t)(ledger.NewPolicy(wrongKey)).Text()
	stranger := cosign("witness.example/stranger", "stranger", 1795426216, noteText)
	forged := cosign("witness.example/w2", "w2", 1795426216, "another text\n")
	logLine := text[strings.Index(text, "— "):]

	tests := []struct {
		name   string
		policy []byte
		note   string
		want   error
	}{
		{"another log key", otherPolicy, text, ledger.ErrPolicy},
		{"witness line without witnesses in the policy", s.policy, string(s.witnessed), ledger.ErrPolicy},
		{"no witness", s.witnesses, text, ledger.ErrPolicy},
		{"too few witnesses", s.witnesses, text + w1, ledger.ErrPolicy},
		{"one witness twice", s.witnesses, text + w1 + w1, ledger.ErrPolicy},
		{"witnesses in another order", s.witnesses, text + w3 + w1, ledger.ErrPolicy},
		{"a stranger's line", s.witnesses, text + w1 + w3 + stranger, ledger.ErrPolicy},
		{"the log's line twice", s.policy, text + logLine, ledger.ErrPolicy},
		{"the log's line missing", s.witnesses, noteText + "\n" + w1 + w3, ledger.ErrPolicy},
		{"the log's line last", s.witnesses, noteText + "\n" + w1 + w3 + logLine, ledger.ErrPolicy},
		{"a forged co-signature beside enough good ones", s.witnesses, text + w1 + forged + w3, ledger.ErrTampered},
		{"a later time on a co-signature", s.witnesses, text + strings.Replace(w1, "AAAABrBAeo", "AAAABrBAeq", 1) + w3, ledger.ErrTampered},
		{"another size", s.policy, strings.Replace(text, "\n7\n", "\n8\n", 1), ledger.ErrTampered},
		{"another origin", s.policy, strings.Replace(text, sampleOrigin+"\n", "vault.example/other\n", 1), ledger.ErrPolicy},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			p := must[*ledger.Policy](t)(ledger.ParsePolicy(tt.policy))
			if c, err := p.OpenCheckpoint([]byte(tt.note)); !errors.Is(err, tt.want) {
				t.Errorf("checkpoint %+v, err %v, want %v", c, err, tt.want)
			}
		})
	}
	var empty ledger.Policy
	if _, err := empty.OpenCheckpoint([]byte(text)); !errors.Is(err, ledger.ErrPolicy) {
		t.Errorf("the zero policy: %v", err)
	}
}

func FuzzParsePolicy(f *testing.F) {
	f.Add(readGolden(f, "policy.txt"))
	f.Add(readGolden(f, "witnessed-policy.txt"))
	f.Add(readGolden(f, "rotated-policy.txt"))
	f.Add([]byte("# comment\n\nquorum none\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		p, err := ledger.ParsePolicy(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if !bytes.Equal(p.Text(), text) || p.Origin() == "" {
			t.Fatalf("policy %q lost", text)
		}
		if _, err := torchwood.ParsePolicy(text); err != nil {
			t.Fatalf("others cannot read our policy %q: %v", text, err)
		}
	})
}
