package signing_test

import (
	"bytes"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"sync"
	"testing"

	"trien/signing"
)

// forgery is a file that must not pass, and the true one it was made from, which must.
type forgery struct {
	class, name string
	from, doc   []byte
}

// forger makes forgeries.
type forger struct {
	*lab
	t    *testing.T
	list []forgery
}

func (f *forger) add(class, name string, from, doc []byte) {
	f.list = append(f.list, forgery{class, name, from, doc})
}

func (f *forger) addAll(class string, from []byte, docs map[string][]byte) {
	for name, doc := range docs {
		f.add(class, name, from, doc)
	}
}

// TestForgeries judges forged files of every class of attack that is published on signed PDFs, and some that are not, strictly and not. They are made of files
// signed here, at B-B, B-T and B-LTA. Beside them stands what poppler says of each.
func TestForgeries(t *testing.T) {
	f := &forger{lab: newLab(t), t: t}
	request := f.request()
	bb := f.sign(t, samplePDF(2), request, f.sealKey, nil)
	bt := f.sign(t, samplePDF(2), request, f.sealKey, f.tsa)
	lta := f.export(t, samplePDF(2))
	other := f.sign(t, samplePDF(3), request, f.sealKey, f.tsa)
	for _, base := range [][]byte{bb, bt} {
		f.addAll("universal forgery", base, containerAttacks(t, base))
		f.addAll("universal forgery", base, f.universal(base))
		f.addAll("wrapping", base, f.wrapping(base))
		f.addAll("incremental saving", base, f.saved(base))
		f.addAll("incremental saving", base, revisionAttacks(t, base))
		f.addAll("structure", base, f.structure(base))
	}
	f.addAll("universal forgery", lta, f.universal(lta))
	f.addAll("incremental saving", lta, f.saved(lta))
	f.addAll("incremental saving", lta, revisionAttacks(t, lta))
	f.addAll("structure", lta, f.structure(lta))
	f.addAll("evidence", lta, f.stores(lta))
	f.shadows()
	f.descriptions()
	f.certified()
	f.containersOf(bt, other, lta)

	lax := signing.InspectOptions{Anchors: f.anchors, At: f.now(), Revocation: signing.RevocationIfPresent}
	strict := lax
	strict.Strict = true
	good := map[[32]byte]bool{}
	classes := map[string]int{}
	for _, g := range f.list {
		classes[g.class]++
		t.Run(g.class+"/"+g.name, func(t *testing.T) {
			if bytes.Equal(g.doc, g.from) {
				t.Fatal("nothing was changed")
			}
			if key := sha256.Sum256(g.from); !good[key] {
				good[key] = true
				if r := inspectAt(t, g.from, lax); r.Indication() != signing.Passed {
					t.Fatalf("the true file: %s", describe(r))
				}
			}
			for _, o := range []signing.InspectOptions{lax, strict} {
				if r := inspectAt(t, g.doc, o); r.Indication() == signing.Passed {
					t.Errorf("strict=%v: %s", o.Strict, describe(r))
				}
			}
		})
	}
	if len(f.list) < 60 {
		t.Errorf("%d forged files", len(f.list))
	}
	if !t.Failed() {
		t.Logf("%d forged files: none passed; %v", len(f.list), classes)
	}
	f.askPoppler()
}

// askPoppler counts the forgeries that pdfsig takes for wholly signed and valid. It is not asked about certificates.
func (f *forger) askPoppler() {
	if _, err := exec.LookPath("pdfsig"); err != nil {
		f.t.Fatal("pdfsig is not installed")
	}
	dir := f.t.TempDir()
	var mu sync.Mutex
	var wg sync.WaitGroup
	var believed []string
	work := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for n := range work {
				path := filepath.Join(dir, fmt.Sprintf("%d.pdf", n))
				if err := os.WriteFile(path, f.list[n].doc, 0o600); err != nil {
					f.t.Error(err)
					continue
				}
				cmd := exec.Command("pdfsig", "-nocert", path)
				cmd.Env = append(os.Environ(), "HOME="+dir)
				out, _ := cmd.CombinedOutput() // its verdict is in what it says
				parts := strings.Split(string(out), "Signature #")
				valid, stamps := strings.Count(string(out), "Signature is Valid"), strings.Count(string(out), "Unable to validate this type")
				if valid > 0 && valid+stamps == len(parts)-1 && strings.Contains(parts[len(parts)-1], "  - Total document signed") {
					mu.Lock()
					believed = append(believed, f.list[n].class+"/"+f.list[n].name)
					mu.Unlock()
				}
			}
		})
	}
	for n := range f.list {
		work <- n
	}
	close(work)
	wg.Wait()
	f.t.Logf("pdfsig, not asked about certificates, calls %d of them valid and wholly signed: %q", len(believed), believed)
}
