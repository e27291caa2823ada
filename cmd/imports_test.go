// Package cmd_test holds the drawing of the house: who may import whom, and who owns which outside library.
package cmd_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"go/parser"
	"go/token"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"slices"
	"strconv"
	"strings"
	"testing"
	"testing/fstest"
)

// house is the drawing: imports go down only, and an outside library has owners.
type house struct {
	module string
	// rooms: package → the packages of ours that its non-test files may import.
	rooms map[string]string
	// owners: outside module → the packages whose non-test files may import it; "*" anyone, "" tests only.
	// The longest prefix of an import path decides. An import that no row covers is an error: a new
	// dependency is a decision, and this is where it is written down.
	owners map[string]string
}

var drawing = house{
	module: "trien",
	rooms: map[string]string{
		"certs":                  "",
		"certs/devpki":           "certs",
		"ledger":                 "",
		"ledger/audit":           "ledger ledger/tiles",
		"ledger/tiles":           "ledger",
		"ledger/tiles/tilestest": "ledger ledger/tiles",
		"ledger/trillianlog":     "ledger ledger/tiles ledger/witness",
		// A peer to measure against: the bench alone may import it.
		"ledger/trillianlog/rawtrillian": "ledger",
		"ledger/witness":                 "ledger",
		"ledger/witness/witnesstest":     "ledger",

		"signing":               "certs signing/pdf",
		"signing/offer":         "",
		"signing/pdf":           "",
		"signing/token":         "",
		"signing/token/softhsm": "",

		"vault":                   "certs ledger signing signing/offer signing/pdf vault/bundle vault/calendar vault/catalogue vault/envelope vault/policy",
		"vault/bundle":            "certs ledger signing signing/pdf",
		"vault/calendar":          "",
		"vault/catalogue":         "",
		"vault/envelope":          "",
		"vault/objects":           "ledger ledger/tiles vault",
		"vault/policy":            "",
		"vault/postgres":          "certs ledger vault vault/envelope",
		"vault/vaulttest":         "certs ledger signing vault vault/catalogue vault/envelope",
		"vault/vaulttest/samples": "",

		"api":        "api/wire certs ledger ledger/tiles signing signing/offer vault vault/bundle vault/envelope vault/policy", // envelope: the spool of what strangers upload
		"api/client": "api/wire signing/offer",
		"api/wire":   "",

		"deploy/standalone":                       "certs certs/devpki deploy/standalone/internal/child deploy/standalone/internal/cluster deploy/standalone/internal/objectserver",
		"deploy/standalone/internal/child":        "",
		"deploy/standalone/internal/cluster":      "deploy/standalone/internal/child",
		"deploy/standalone/internal/objectserver": "deploy/standalone/internal/child",
		"deploy/standalone/standalonetest":        "deploy/standalone deploy/standalone/internal/cluster deploy/standalone/internal/objectserver",

		"cmd/trien": "api api/client api/wire certs certs/devpki deploy/standalone ledger ledger/audit ledger/tiles ledger/trillianlog ledger/witness " +
			"signing signing/token signing/token/softhsm vault vault/bundle vault/calendar vault/catalogue vault/envelope vault/objects vault/policy vault/postgres " +
			"vault/vaulttest/samples",
		"cmd/trien-agent":   "api/client api/wire certs ledger signing signing/offer signing/token vault/bundle",
		"cmd/trien-verify":  "certs ledger ledger/audit ledger/tiles signing vault/bundle",
		"cmd/verify-wasm":   "certs ledger vault/bundle", // the same judgement, in a browser
		"cmd/trien-samples": "vault/vaulttest/samples",
		"cmd/trien-bench": "api/client api/wire certs certs/devpki deploy/standalone ledger ledger/tiles ledger/trillianlog ledger/trillianlog/rawtrillian " +
			"ledger/witness signing vault vault/envelope vault/objects vault/postgres",
		"cmd/trien-interop": "certs certs/devpki signing vault/vaulttest/samples",
	},
	owners: map[string]string{
		// Each great library has one package that hides it from the others.
		"github.com/gin-gonic/gin":        "api",
		"github.com/minio/minio-go":       "vault/objects cmd/trien-bench", // the bench needs the raw put as its peer
		"github.com/google/trillian":      "ledger/trillianlog ledger/trillianlog/rawtrillian",
		"google.golang.org/grpc":          "ledger/trillianlog ledger/trillianlog/rawtrillian",
		"google.golang.org/protobuf":      "ledger/trillianlog",
		"k8s.io/klog":                     "ledger/trillianlog ledger/trillianlog/rawtrillian",                // Trillian writes to it
		"github.com/jackc/pgx":            "vault/postgres ledger/trillianlog ledger/trillianlog/rawtrillian", // Trillian's storage takes our pool
		"github.com/pressly/goose":        "vault/postgres",
		"github.com/ThalesGroup/crypto11": "signing/token",
		"github.com/miekg/pkcs11":         "signing/token",
		"github.com/versity/versitygw":    "deploy/standalone/internal/objectserver",
		"github.com/aws/aws-sdk-go-v2":    "deploy/standalone/internal/objectserver",
		"github.com/twpayne/go-pinentry":  "cmd/trien-agent",
		"github.com/go-pdf/fpdf":          "vault/bundle vault/vaulttest/samples",
		"github.com/go-fonts/liberation":  "cmd/trien-interop signing vault/bundle vault/vaulttest/samples",
		"github.com/goccy/go-yaml":        "cmd/trien vault/calendar vault/catalogue",
		"github.com/cedar-policy":         "vault/policy",
		"github.com/prometheus":           "api",
		"github.com/pquerna/otp":          "vault",
		"github.com/boombuler/barcode":    "api", // QR codes; the codes' own library brings it

		// Transparency: the pure ledger and its two adapters.
		"github.com/transparency-dev":    "ledger ledger/tiles ledger/witness",
		"golang.org/x/mod/sumdb":         "ledger ledger/trillianlog ledger/witness ledger/witness/witnesstest",
		"github.com/digitorus/timestamp": "certs/devpki",

		// Peers that our work is measured against and judged beside; they decide nothing anywhere.
		"github.com/digitorus/pdf":     "cmd/trien-interop",
		"github.com/digitorus/pdfsign": "cmd/trien-bench cmd/trien-interop",

		// Small ones.
		"github.com/google/uuid": "*",
		"golang.org/x/crypto":    "certs certs/devpki ledger/witness/witnesstest signing vault vault/envelope",
		"golang.org/x/image":     "signing/pdf vault vault/vaulttest/samples",
		"golang.org/x/sync":      "*",
		"golang.org/x/sys":       "*",
		"golang.org/x/term":      "cmd/trien cmd/trien-agent",
		"golang.org/x/text":      "*",
		"golang.org/x/time":      "api vault",

		// Oracles and drivers of tests: never in a program.
		"filippo.io/torchwood":            "",
		"github.com/chromedp":             "",
		"github.com/getkin/kin-openapi":   "",
		"github.com/rogpeppe/go-internal": "",
		"github.com/tink-crypto/tink-go":  "",
	},
}

func TestHouse(t *testing.T) {
	wrong, err := drawing.inspect(os.DirFS(".."))
	if err != nil {
		t.Fatal(err)
	}
	for _, w := range wrong {
		t.Error(w)
	}
}

// inspect reads the imports of every non-test file of the tree and returns each way in which it departs from the drawing.
func (h house) inspect(tree fs.FS) ([]string, error) {
	var wrong []string
	seen := map[string]bool{}
	used := map[string]bool{} // "module package"
	err := fs.WalkDir(tree, ".", func(name string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if d.IsDir() {
			if notPackages(name) || otherModule(tree, name) {
				return fs.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") {
			return nil
		}
		imports, err := importsOf(tree, name)
		if err != nil {
			return err
		}
		pkg := path.Dir(name)
		if strings.HasSuffix(name, "_test.go") { // may import what it likes
			pkg = "tests"
		}
		for _, imp := range imports {
			if module, ok := h.owned(imp); ok {
				used[module+" "+pkg], used[module+" *"] = true, true
			}
		}
		if pkg == "tests" {
			return nil
		}
		if _, known := h.rooms[pkg]; !known && !seen[pkg] {
			wrong = append(wrong, fmt.Sprintf("package %s is not in the drawing", pkg))
		}
		seen[pkg] = true
		for _, imp := range imports {
			if w := h.judge(pkg, imp); w != "" {
				wrong = append(wrong, name+": "+w)
			}
		}
		return nil
	})
	for _, pkg := range slices.Sorted(maps.Keys(h.rooms)) {
		if !seen[pkg] {
			wrong = append(wrong, fmt.Sprintf("the drawing has package %s, the tree has not", pkg))
		}
	}
	for _, module := range slices.Sorted(maps.Keys(h.owners)) {
		for _, owner := range strings.Fields(h.owners[module]) {
			if !used[module+" "+owner] && (owner == "*" || seen[owner]) {
				wrong = append(wrong, fmt.Sprintf("the drawing lets %s import %s, which it does not", owner, module))
			}
		}
		if h.owners[module] == "" && !used[module+" tests"] {
			wrong = append(wrong, fmt.Sprintf("the drawing lets tests import %s, which none does", module))
		}
	}
	return wrong, err
}

// notPackages tells the folders that go list does not look into either, and what the Makefile leaves in the tree.
func notPackages(dir string) bool {
	base := path.Base(dir)
	return dir != "." && (base == "testdata" || strings.HasPrefix(base, ".") || strings.HasPrefix(base, "_")) || dir == "bin" || dir == "out"
}

// otherModule tells a folder that go list does not look into because it is a module of its own.
func otherModule(tree fs.FS, dir string) bool {
	_, err := fs.Stat(tree, path.Join(dir, "go.mod"))
	return err == nil && dir != "."
}

func importsOf(tree fs.FS, name string) ([]string, error) {
	source, err := fs.ReadFile(tree, name)
	if err != nil {
		return nil, err
	}
	file, err := parser.ParseFile(token.NewFileSet(), name, source, parser.ImportsOnly)
	if err != nil {
		return nil, err
	}
	var imports []string
	for _, spec := range file.Imports {
		imp, err := strconv.Unquote(spec.Path.Value)
		if err != nil {
			return nil, err
		}
		imports = append(imports, imp)
	}
	return imports, nil
}

// judge says what is wrong with pkg importing imp; empty if nothing is.
func (h house) judge(pkg, imp string) string {
	if imp == "C" {
		return "no package of ours uses cgo itself"
	}
	if ours, ok := strings.CutPrefix(imp, h.module+"/"); ok {
		if !slices.Contains(strings.Fields(h.rooms[pkg]), ours) {
			return fmt.Sprintf("%s may not import %s", pkg, ours)
		}
		return ""
	}
	if host, _, _ := strings.Cut(imp, "/"); !strings.Contains(host, ".") {
		return "" // standard library
	}
	module, ok := h.owned(imp)
	if !ok {
		return fmt.Sprintf("nobody owns %s: give it an owner in the drawing", imp)
	}
	owners := strings.Fields(h.owners[module])
	if slices.Contains(owners, "*") || slices.Contains(owners, pkg) {
		return ""
	}
	if len(owners) == 0 {
		return fmt.Sprintf("%s is for tests only", module)
	}
	return fmt.Sprintf("only %s may import %s", strings.Join(owners, ", "), module)
}

// owned finds the longest row of owners that covers imp.
func (h house) owned(imp string) (string, bool) {
	best := ""
	for module := range h.owners {
		if covers(module, imp) && len(module) > len(best) {
			best = module
		}
	}
	return best, best != ""
}

func covers(prefix, imp string) bool { return imp == prefix || strings.HasPrefix(imp, prefix+"/") }

// The inspector itself: each kind of offence is found, and a tree that follows the drawing has none.
func TestInspectorFindsOffences(t *testing.T) {
	small := house{
		module: "trien",
		rooms:  map[string]string{"api": "vault", "vault": "", "vault/postgres": "vault"},
		owners: map[string]string{
			"github.com/jackc/pgx":     "vault/postgres",
			"github.com/gin-gonic/gin": "api",
			"github.com/google/uuid":   "*",
			"github.com/chromedp":      "",
			"example.org/deep":         "vault",
			"example.org/deep/er":      "api",
		},
	}
	clean := map[string]string{
		"api/a.go":                 `package api; import ("net/http"; "trien/vault"; "github.com/gin-gonic/gin"; "example.org/deep/er/x")`,
		"vault/v.go":               `package vault; import ("github.com/google/uuid"; "example.org/deep/x")`,
		"vault/v_test.go":          `package vault; import ("trien/api"; "github.com/chromedp/chromedp")`,
		"vault/postgres/p.go":      `package postgres; import ("trien/vault"; "github.com/jackc/pgx/v5")`,
		"vault/testdata/broken.go": `not Go at all`,
		"bin/x/x.go":               `package x; import "trien/api"`,
		".tools/t.go":              `package t; import "trien/api"`,
		"go.mod":                   `module trien`,
		"peer/go.mod":              `module trien/peer`,
		"peer/p.go":                `package main; import "example.org/deep"`,
	}
	tests := []struct{ name, file, source, want string }{
		{"as drawn", "", "", ""},
		{"upwards", "vault/bad.go", `package vault; import "trien/api"`, "vault/bad.go: vault may not import api"},
		{"sideways", "api/bad.go", `package api; import "trien/vault/postgres"`, "api/bad.go: api may not import vault/postgres"},
		{"library of another", "api/bad.go", `package api; import "github.com/jackc/pgx/v5/pgxpool"`, "api/bad.go: only vault/postgres may import github.com/jackc/pgx"},
		{"behind a build tag", "api/bad.go", "//go:build never\n\npackage api; import _ \"github.com/jackc/pgx/v5\"", "api/bad.go: only vault/postgres may import github.com/jackc/pgx"},
		{"longest row decides", "vault/bad.go", `package vault; import "example.org/deep/er"`, "vault/bad.go: only api may import example.org/deep/er"},
		{"tests only", "api/bad.go", `package api; import "github.com/chromedp/chromedp"`, "api/bad.go: github.com/chromedp is for tests only"},
		{"without owner", "api/bad.go", `package api; import "github.com/jackc/pgxlisten"`, "api/bad.go: nobody owns github.com/jackc/pgxlisten: give it an owner in the drawing"},
		{"cgo", "vault/bad.go", `package vault; import "C"`, "vault/bad.go: no package of ours uses cgo itself"},
		{"unknown package", "util/u.go", `package util`, "package util is not in the drawing"},
		{"right not used", "vault/v.go", `package vault; import "example.org/deep/x"`, "the drawing lets * import github.com/google/uuid, which it does not"},
		{"package gone", "vault/postgres/p.go", ``, "the drawing has package vault/postgres, the tree has not"},
	}
	for _, test := range tests {
		t.Run(test.name, func(t *testing.T) {
			tree := fstest.MapFS{}
			for name, source := range clean {
				tree[name] = &fstest.MapFile{Data: []byte(source)}
			}
			switch {
			case test.file != "" && test.source == "":
				delete(tree, test.file)
			case test.file != "":
				tree[test.file] = &fstest.MapFile{Data: []byte(test.source)}
			}
			wrong, err := small.inspect(tree)
			if err != nil {
				t.Fatal(err)
			}
			var want []string
			if test.want != "" {
				want = []string{test.want}
			}
			if !slices.Equal(wrong, want) {
				t.Errorf("inspect found %q, want %q", wrong, want)
			}
		})
	}
}

// server is what a program without a server must not hold.
var server = []string{
	"github.com/gin-gonic/gin", "github.com/jackc/pgx", "github.com/minio/minio-go", "github.com/google/trillian", "github.com/digitorus/pdfsign",
	"trien/api", "trien/vault", "trien/vault/postgres", "trien/vault/objects", "trien/deploy/standalone",
}

// What is linked decides, not what a file imports: the dependencies as the build would take them.
func TestPrograms(t *testing.T) {
	tests := []struct {
		program string
		never   []string // import paths and all below them, except the packages named in "but"
		but     []string
		cgo     []string // outside packages that may use cgo
	}{
		{"cmd/trien-verify", append(slices.Clone(server), "google.golang.org/grpc", "github.com/miekg/pkcs11", "github.com/ThalesGroup/crypto11"), []string{"trien/vault/bundle"}, nil},
		{"cmd/trien-agent", server, []string{"trien/api/client", "trien/api/wire", "trien/vault/bundle"}, []string{"github.com/miekg/pkcs11", "github.com/ThalesGroup/crypto11"}},
		{"cmd/trien", []string{"github.com/chromedp", "github.com/digitorus/pdfsign", "testing"}, nil, []string{"github.com/miekg/pkcs11", "github.com/ThalesGroup/crypto11"}},
	}
	for _, test := range tests {
		t.Run(path.Base(test.program), func(t *testing.T) {
			linked := dependencies(t, test.program, "CGO_ENABLED=1")
			for _, l := range linked {
				for _, never := range test.never {
					if covers(never, l.ImportPath) && !slices.ContainsFunc(test.but, func(b string) bool { return covers(b, l.ImportPath) }) {
						t.Errorf("%s links %s", test.program, l.ImportPath)
					}
				}
				// The standard library's own cgo (net, os/user) has a Go twin; CGO_ENABLED=0 takes that.
				if !l.Standard && len(l.CgoFiles) > 0 && !slices.Contains(test.cgo, l.ImportPath) {
					t.Errorf("%s links cgo by %s", test.program, l.ImportPath)
				}
			}
		})
	}
	// The verifier for browsers links what trien-verify does.
	native := map[string]bool{}
	for _, l := range dependencies(t, "cmd/trien-verify", "CGO_ENABLED=0") {
		native[l.ImportPath] = true
	}
	for _, l := range dependencies(t, "cmd/verify-wasm", "GOOS=js", "GOARCH=wasm") {
		if !l.Standard && !native[l.ImportPath] && l.ImportPath != "trien/cmd/verify-wasm" {
			t.Errorf("cmd/verify-wasm links %s, which cmd/trien-verify does not", l.ImportPath)
		}
	}
	// As the Makefile builds it, the stranger's verifier has no C in it at all.
	for _, l := range dependencies(t, "cmd/trien-verify", "CGO_ENABLED=0") {
		if l.ImportPath == "runtime/cgo" || len(l.CgoFiles) > 0 || slices.Contains(l.Imports, "C") {
			t.Errorf("cmd/trien-verify without cgo still links %s", l.ImportPath)
		}
	}
}

type linked struct {
	ImportPath string
	Standard   bool
	CgoFiles   []string
	Imports    []string
}

func dependencies(t *testing.T, pkg string, env ...string) []linked {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "go", "list", "-deps", "-json=ImportPath,Standard,CgoFiles,Imports", "./"+pkg)
	cmd.Dir, cmd.Env = "..", append(os.Environ(), env...)
	var complaints strings.Builder
	cmd.Stderr = &complaints
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("listing what %s links: %v\n%s", pkg, err, complaints.String())
	}
	var all []linked
	for in := json.NewDecoder(strings.NewReader(string(out))); ; {
		var l linked
		if err := in.Decode(&l); errors.Is(err, io.EOF) {
			break
		} else if err != nil {
			t.Fatal(err)
		}
		all = append(all, l)
	}
	if len(all) < 50 {
		t.Fatalf("only %d packages listed for %s: the list cannot be right", len(all), pkg)
	}
	return all
}
