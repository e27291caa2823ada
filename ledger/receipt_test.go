package ledger_test

import (
	"bytes"
	"encoding/base64"
	"errors"
	"strings"
	"testing"

	"github.com/transparency-dev/formats/proof"

	"trien/ledger"
)

func TestReceiptRefusesTexts(t *testing.T) {
	text := string(readGolden(t, "receipt.tlog-proof"))
	tests := map[string]string{
		"empty":               "",
		"no last newline":     strings.TrimSuffix(text, "\n"),
		"trailing newline":    text + "\n",
		"trailing data":       text + "x\n",
		"carriage returns":    strings.ReplaceAll(text, "\n", "\r\n"),
		"one carriage return": strings.Replace(text, "index 5\n", "index 5\r\n", 1),
		"leading zero":        strings.Replace(text, "index 5", "index 05", 1),
		"negative":            strings.Replace(text, "index 5", "index -5", 1),
		"huge index":          strings.Replace(text, "index 5", "index 9223372036854775808", 1),
		"extra line":          strings.Replace(text, "index", "extra YWJj\nindex", 1),
		"empty extra line":    strings.Replace(text, "index", "extra \nindex", 1),
		"other header":        strings.Replace(text, "@v1", "@v2", 1),
		"stray base64 bits":   strings.Replace(text, "AAI=\n", "AAJ=\n", 1),
		"base64 padding":      strings.Replace(text, "AAI=\n", "AAI\n", 1),
		"proof with spaces":   strings.Replace(text, "AAI=\n", "AAI= \n", 1),
		"two empty lines":     strings.Replace(text, "\n\n", "\n\n\n", 1),
		"no checkpoint":       text[:strings.Index(text, "\n\n")+2],
		"size leading zero":   strings.Replace(text, "\n7\n", "\n07\n", 1),
		"size plus":           strings.Replace(text, "\n7\n", "\n+7\n", 1),
		"huge size":           strings.Replace(text, "\n7\n", "\n9223372036854775808\n", 1),
		"extension line":      strings.Replace(text, "6SU=\n", "6SU=\nmore\n", 1),
		"root stray bits":     strings.Replace(text, "6SU=\n", "6SV=\n", 1),
		"signature dash":      strings.Replace(text, "— ", "- ", 1),
		"signature stray":     strings.Replace(text, "7Q8=\n", "7Q9=\n", 1),
		"signature short":     text[:strings.Index(text, "— ")] + "— vault.example/records ebE8Wg==\n",
		"text after sigs":     text + "hello\n",
		"hash too short":      strings.Replace(text, "index 5\n", "index 5\nAAAA\n", 1),
		"hash too long":       strings.Replace(text, "index 5\n", "index 5\n"+base64.StdEncoding.EncodeToString(make([]byte, 33))+"\n", 1),
		"path too long":       strings.Replace(text, "index 5\n", "index 5\n"+strings.Repeat(base64.StdEncoding.EncodeToString(make([]byte, 32))+"\n", 61), 1),
		"empty tree's root":   strings.Replace(text, "\n7\n", "\n0\n", 1),
	}
	for name, bad := range tests {
		t.Run(name, func(t *testing.T) {
			if bad == text {
				t.Fatal("the case changes nothing")
			}
			if _, err := ledger.ParseReceipt([]byte(bad)); !errors.Is(err, ledger.ErrMalformed) {
				t.Errorf("err %v", err)
			}
		})
	}
}

func TestReceiptIsReadByOthers(t *testing.T) {
	text := readGolden(t, "receipt.tlog-proof")
	var theirs proof.TLogProof
	if err := theirs.Unmarshal(text); err != nil {
		t.Fatal(err)
	}
	ours := must[ledger.Receipt](t)(ledger.ParseReceipt(text))
	if theirs.Index != ours.Index || len(theirs.Hashes) != len(ours.Proof) || !bytes.Equal(theirs.Checkpoint, ours.Checkpoint) || theirs.ExtraData != nil {
		t.Errorf("theirs %+v, ours %+v", theirs, ours)
	}
	if !bytes.Equal(theirs.Marshal(), text) {
		t.Errorf("they write\n%s", theirs.Marshal())
	}
}

func FuzzParseReceipt(f *testing.F) {
	f.Add(readGolden(f, "receipt.tlog-proof"))
	f.Add(append([]byte("c2sp.org/tlog-proof@v1\nindex 0\n\n"), readGolden(f, "witnessed-checkpoint.txt")...))
	f.Add([]byte("c2sp.org/tlog-proof@v1\nextra YQ==\nindex 0\n\n"))
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := ledger.ParseReceipt(text)
		if err != nil {
			if !errors.Is(err, ledger.ErrMalformed) {
				t.Fatalf("unexpected kind: %v", err)
			}
			return
		}
		if again, err := r.MarshalText(); err != nil || !bytes.Equal(again, text) {
			t.Fatalf("second form of a receipt: %q (%v)", text, err)
		}
		var theirs proof.TLogProof
		if err := theirs.Unmarshal(text); err != nil {
			t.Fatalf("others cannot read our receipt: %v", err)
		}
	})
}
