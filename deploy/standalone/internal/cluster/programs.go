package cluster

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"sort"
	"strconv"
	"strings"
)

// programs are those of one version of PostgreSQL.
type programs struct {
	initdb, postgres string
	major            int
}

// leastMajor is the oldest version whose options we use.
const leastMajor = 13

// debianBin is where Debian keeps them, a folder for each version.
const debianBin = "/usr/lib/postgresql/*/bin"

// findPrograms looks for the version that an existing cluster needs (major above 0), or else for the newest.
func (c Config) findPrograms(ctx context.Context, major int) (programs, error) {
	var found []programs
	for _, dir := range c.binDirs() {
		p := programs{initdb: filepath.Join(dir, "initdb"), postgres: filepath.Join(dir, "postgres")}
		if !executable(p.initdb) || !executable(p.postgres) {
			continue
		}
		out, err := exec.CommandContext(ctx, p.postgres, "--version").Output()
		if err != nil {
			continue
		}
		if p.major = parseMajor(string(out)); p.major >= leastMajor && (major == 0 || p.major == major) {
			found = append(found, p)
		}
	}
	if len(found) == 0 {
		if major > 0 {
			return programs{}, fmt.Errorf("%w: the folder was made by version %d (Debian package postgresql-%d)", ErrMissing, major, major)
		}
		return programs{}, fmt.Errorf("%w: initdb and postgres (Debian package postgresql)", ErrMissing)
	}
	sort.SliceStable(found, func(i, j int) bool { return found[i].major > found[j].major })
	return found[0], nil
}

func (c Config) binDirs() []string {
	if c.Bin != nil {
		return c.Bin
	}
	dirs := filepath.SplitList(os.Getenv("PATH"))
	debian, _ := filepath.Glob(debianBin) // its only error is a bad pattern
	return append(debian, dirs...)
}

func executable(path string) bool {
	info, err := os.Stat(path)
	return err == nil && info.Mode().IsRegular() && info.Mode().Perm()&0o111 != 0
}

// parseMajor reads "postgres (PostgreSQL) 15.14 (Debian 15.14-0+deb12u1)"; 0 if it is none.
func parseMajor(s string) int {
	fields := strings.Fields(s)
	if len(fields) < 3 || fields[1] != "(PostgreSQL)" {
		return 0
	}
	digits, _, _ := strings.Cut(fields[2], ".")
	n, err := strconv.Atoi(digits)
	if err != nil {
		return 0
	}
	return n
}

// Exists reports whether a folder holds a cluster.
func Exists(dir string) (bool, error) {
	made, err := Config{Dir: dir}.madeBy()
	return made > 0, err
}

// madeBy is the version that made the cluster; 0 if there is none yet.
func (c Config) madeBy() (int, error) {
	b, err := os.ReadFile(filepath.Join(c.dataDir(), "PG_VERSION"))
	if errors.Is(err, fs.ErrNotExist) {
		return 0, nil
	}
	if err != nil {
		return 0, fmt.Errorf("reading the cluster's version: %w", err)
	}
	n, err := strconv.Atoi(strings.TrimSpace(string(b)))
	if err != nil || n <= 0 {
		return 0, fmt.Errorf("reading the cluster's version: %q is none", strings.TrimSpace(string(b)))
	}
	return n, nil
}
