package calendar

import (
	"bytes"
	"embed"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"

	"github.com/goccy/go-yaml"
)

//go:embed years/*.yaml
var builtIn embed.FS

const (
	maxFile  = 1 << 18 // bytes
	maxFiles = 200
)

var builtInYears = sync.OnceValue(func() []Year {
	folder, err := fs.Sub(builtIn, "years")
	if err != nil {
		panic(err)
	}
	years, err := readFolder(folder, "built-in/")
	if err != nil {
		panic(fmt.Errorf("the built-in years: %w", err)) // a test reads them
	}
	return years
})

var builtInCalendar = sync.OnceValue(func() *Calendar { return newCalendar(builtInYears()) })

// Default is the calendar of the tables that are built in.
func Default() *Calendar { return builtInCalendar() }

// Load reads one year's file, or a folder of them; their tables take the place of the built-in ones, which stay for other years. An
// empty path is [Default]. Errors wrap [ErrFile] and tell all that is wrong at once.
func Load(path string) (*Calendar, error) {
	if path == "" {
		return Default(), nil
	}
	years, err := Read(path)
	if err != nil {
		return nil, err
	}
	for _, b := range builtInYears() {
		if !slices.ContainsFunc(years, func(y Year) bool { return y.Year == b.Year }) {
			years = append(years, b)
		}
	}
	return newCalendar(years), nil
}

// Read reads one year's file, or a folder of them, and no others. Errors wrap [ErrFile].
func Read(path string) ([]Year, error) {
	info, err := os.Stat(path)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFile, err)
	}
	var years []Year
	if info.IsDir() {
		years, err = readFolder(os.DirFS(path), path+"/")
	} else {
		var y Year
		y, err = readYear(os.DirFS(filepath.Dir(path)), filepath.Base(path), path)
		years = []Year{y}
	}
	if err != nil {
		return nil, fmt.Errorf("%w:\n%w", ErrFile, err)
	}
	return years, nil
}

func readFolder(folder fs.FS, prefix string) ([]Year, error) {
	entries, err := fs.ReadDir(folder, ".")
	if err != nil {
		return nil, err
	}
	var years []Year
	var wrong []error
	from := map[int]string{}
	for _, e := range entries {
		name := e.Name()
		if strings.HasPrefix(name, ".") {
			continue
		}
		if !strings.HasSuffix(name, ".yaml") || e.IsDir() || len(years) == maxFiles {
			return nil, fmt.Errorf("%s%s is no year's file, such as 2026.yaml, or one too many", prefix, name)
		}
		y, err := readYear(folder, name, prefix+name)
		if err == nil && from[y.Year] != "" {
			err = fmt.Errorf("%s%s: %d stands in %s too", prefix, name, y.Year, from[y.Year])
		}
		if err != nil {
			wrong = append(wrong, err)
			continue
		}
		from[y.Year] = name
		years = append(years, y)
	}
	if len(years)+len(wrong) == 0 {
		return nil, fmt.Errorf("%s has no year's file, such as 2026.yaml", prefix)
	}
	return years, errors.Join(wrong...)
}

// readYear reads a file strictly: a key that is not known is an error with its line.
func readYear(folder fs.FS, name, shown string) (y Year, err error) {
	f, err := folder.Open(name)
	if err != nil {
		return y, err
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxFile+1))
	if err != nil {
		return y, fmt.Errorf("%s: %w", shown, err)
	}
	if len(text) > maxFile {
		return y, fmt.Errorf("%s: longer than %d bytes", shown, maxFile)
	}
	d := yaml.NewDecoder(bytes.NewReader(text), yaml.Strict())
	if err := d.Decode(&y); err != nil && !errors.Is(err, io.EOF) {
		return y, fmt.Errorf("%s: %s", shown, strings.TrimSpace(yaml.FormatError(err, false, true)))
	}
	if err := d.Decode(new(any)); !errors.Is(err, io.EOF) {
		return y, fmt.Errorf("%s: the file has more than one document", shown)
	}
	var wrong []error
	for _, w := range y.check() {
		wrong = append(wrong, fmt.Errorf("%s: %s", shown, w))
	}
	return y, errors.Join(wrong...)
}
