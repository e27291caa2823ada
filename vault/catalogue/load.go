package catalogue

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path"
	"slices"
	"strings"
	"sync"
	"unicode/utf8"

	"github.com/goccy/go-yaml"
)

//go:embed registers/*.yaml
var builtIn embed.FS

// six is the order of Article 3 and Annex 1.
var six = []Register{Party, Cadre, Protection, Health, Training, Research}

const (
	maxFile  = 1 << 20 // bytes
	maxFiles = 64
)

var builtInFiles = sync.OnceValue(func() []source {
	folder, err := fs.Sub(builtIn, "registers")
	if err != nil {
		panic(err)
	}
	sources, err := readFolder(folder, "built-in/")
	if err != nil {
		panic(err)
	}
	return sources
})

var builtInCatalogue = sync.OnceValue(func() *Catalogue {
	c, err := build(builtInFiles())
	if err != nil {
		panic(fmt.Errorf("the built-in registers: %w", err)) // a test reads them
	}
	return c
})

// Default is the catalogue of the six registers as they are built in.
func Default() *Catalogue { return builtInCatalogue() }

// Load reads a folder with one file for each register, named after its code, such as party.yaml. A file takes the place of the
// built-in one of that register, or adds a register; those that it does not name stay built in. An empty dir is [Default]. Names
// that begin with a dot are left out, any other that is no register's file is an error. Errors wrap [ErrFile] and tell all that is
// wrong at once.
func Load(dir string) (*Catalogue, error) {
	if dir == "" {
		return Default(), nil
	}
	own, err := readFolder(os.DirFS(dir), dir+"/")
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	var sources []source
	for _, b := range builtInFiles() {
		if !slices.ContainsFunc(own, func(s source) bool { return path.Base(s.name) == path.Base(b.name) }) {
			sources = append(sources, b)
		}
	}
	return build(append(sources, own...))
}

// source is a file that has not been understood yet.
type source struct {
	name string // as it is told to people
	text []byte
}

func readFolder(folder fs.FS, prefix string) ([]source, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var sources []source
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if path.Ext(name) != ".yaml" || e.IsDir() {
			return nil, fmt.Errorf("%s%s is no register's file, such as party.yaml", prefix, name)
		}
		if len(sources) == maxFiles {
			return nil, fmt.Errorf("%s has more than %d files", prefix, maxFiles)
		}
		text, err := readBounded(folder, name)
		if err != nil {
			return nil, fmt.Errorf("%s%s: %w", prefix, name, err)
		}
		sources = append(sources, source{prefix + name, text})
	}
	if len(sources) == 0 {
		return nil, fmt.Errorf("%s has no register's file, such as party.yaml", prefix)
	}
	return sources, nil
}

func readBounded(folder fs.FS, name string) ([]byte, error) {
	f, err := folder.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	switch {
	case err != nil:
		return nil, err
	case len(text) > maxFile:
		return nil, fmt.Errorf("longer than %d bytes", maxFile)
	case !utf8.Valid(text) || bytes.ContainsAny(text, "\x00\r\uFEFF"):
		return nil, errors.New("not UTF-8 with Unix line ends and no byte order mark")
	}
	return text, nil
}

// registerFile is the file as it is written.
type registerFile struct {
	RegisterInfo `yaml:",inline"`
	Subject      SubjectAccess `yaml:"subject"`
}

// decode reads a file strictly: a key that is not known, or stands twice, is an error with its line.
func decode(s source) (registerFile, error) {
	var file registerFile
	d := yaml.NewDecoder(bytes.NewReader(s.text), yaml.Strict())
	if err := d.Decode(&file); err != nil {
		if errors.Is(err, io.EOF) {
			return file, fileError(s.name, 1, "the file is empty")
		}
		return file, fmt.Errorf("%s: %s", s.name, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return file, fileError(s.name, 1, "the file has more than one document")
	}
	return file, nil
}

// build understands and checks all files together.
func build(sources []source) (*Catalogue, error) {
	c := &Catalogue{}
	var wrong []error
	checks := make([]*checker, 0, len(sources))
	for _, s := range sources {
		file, err := decode(s)
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		k := &checker{name: s.name, text: s.text}
		file.RegisterInfo.Subject, err = file.Subject.Rule()
		if err != nil {
			k.at("$.subject").say("%v", err)
		}
		checks = append(checks, k)
		c.registers = append(c.registers, file.RegisterInfo)
		c.files = append(c.files, File{file.Register, file.Version, s.text})
	}
	if len(wrong) > 0 { // what the others refer to may stand in what was not understood
		return nil, fmt.Errorf("%w:\n%w", ErrFile, errors.Join(wrong...))
	}
	for i, k := range checks {
		k.register(c, c.registers[i])
		wrong = append(wrong, k.wrong...)
	}
	if len(wrong) > 0 {
		return nil, fmt.Errorf("%w:\n%w", ErrFile, errors.Join(wrong...))
	}
	slices.SortFunc(c.registers, func(a, b RegisterInfo) int { return compare(a.Register, b.Register) })
	slices.SortFunc(c.files, func(a, b File) int { return compare(a.Register, b.Register) })
	return c, nil
}

// compare sorts the six as the regulation does, and others behind them by their codes.
func compare(a, b Register) int {
	place := func(r Register) int {
		if i := slices.Index(six, r); i >= 0 {
			return i
		}
		return len(six)
	}
	if d := place(a) - place(b); d != 0 {
		return d
	}
	return strings.Compare(string(a), string(b))
}
