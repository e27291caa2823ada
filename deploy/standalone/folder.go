package standalone

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"

	"golang.org/x/sys/unix"
)

const (
	markerFile       = "trien.folder"
	markerStandalone = "trien-standalone"
	markerProduction = "trien-production"
	folderFormat     = 1

	lockFile = "lock"
)

// folder is the one of a standalone vault, locked.
type folder struct {
	path string
	lock *os.File
	made bool // by this start
}

// openFolder makes or recognises the folder, and locks it. It changes nothing in a folder that is not ours.
func openFolder(dir string) (*folder, error) {
	path, err := filepath.Abs(dir)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if err := os.MkdirAll(path, 0o700); err != nil {
		return nil, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	fresh, err := judge(path)
	if err != nil {
		return nil, err
	}
	f := &folder{path: path, made: fresh}
	if err := f.take(); err != nil {
		return nil, err
	}
	// Whoever held the lock a moment ago may have made the folder meanwhile.
	if f.made, err = judge(path); err == nil && f.made {
		err = f.mark()
	}
	if err == nil {
		err = f.close(path)
	}
	if err != nil {
		return nil, errors.Join(err, f.release())
	}
	return f, nil
}

// judge says whether the folder is fresh; one that is neither fresh nor ours is ErrFolder.
func judge(path string) (fresh bool, err error) {
	b, err := os.ReadFile(filepath.Join(path, markerFile))
	if errors.Is(err, fs.ErrNotExist) {
		return judgeUnmarked(path)
	}
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	kind, format, _ := strings.Cut(strings.TrimSpace(string(b)), " ")
	switch {
	case kind == markerProduction:
		return false, fmt.Errorf("%w: %s was made for production; standalone keeps its secrets beside the data", ErrFolder, path)
	case kind != markerStandalone:
		return false, fmt.Errorf("%w: %s has a %s that is none of ours", ErrFolder, path, markerFile)
	}
	if n, err := strconv.Atoi(format); err != nil || n < 1 || n > folderFormat {
		return false, fmt.Errorf("%w: %s has format %q, this program knows up to %d", ErrFolder, path, format, folderFormat)
	}
	return false, nil
}

// judgeUnmarked takes an empty folder, or one where a first start was cut short before its first line.
func judgeUnmarked(path string) (fresh bool, err error) {
	entries, err := os.ReadDir(path)
	if err != nil {
		return false, fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, e := range entries {
		switch e.Name() {
		case lockFile, markerFile + ".new", "lost+found":
		default:
			return false, fmt.Errorf("%w: %s holds other files (%s): choose an empty folder or a new one", ErrFolder, path, e.Name())
		}
	}
	return true, nil
}

func (f *folder) take() error {
	lock, err := os.OpenFile(f.join(lockFile), os.O_CREATE|os.O_RDWR, 0o600)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if err := unix.Flock(int(lock.Fd()), unix.LOCK_EX|unix.LOCK_NB); err != nil {
		_ = lock.Close()
		if errors.Is(err, syscall.EWOULDBLOCK) {
			return fmt.Errorf("%w: %s", ErrInUse, f.path)
		}
		return fmt.Errorf("%w: locking: %w", ErrFolder, err)
	}
	f.lock = lock
	return nil
}

// release lets others have the folder.
func (f *folder) release() error { return f.lock.Close() }

func (f *folder) mark() error {
	if err := writeDurably(f.join(markerFile), fmt.Sprintf("%s %d\n", markerStandalone, folderFormat), 0o644); err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	return nil
}

// close keeps others out. When we are root PostgreSQL's user must pass, and may do nothing else.
func (f *folder) close(path string) error {
	mode := fs.FileMode(0o700)
	if os.Geteuid() == 0 {
		mode = 0o711
	}
	if err := os.Chmod(path, mode); err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	for _, d := range []string{"secrets", "objects", "authority", "run", "log"} {
		if err := os.MkdirAll(f.join(d), 0o700); err != nil {
			return fmt.Errorf("%w: %w", ErrFolder, err)
		}
	}
	return nil
}

func (f *folder) join(names ...string) string {
	return filepath.Join(append([]string{f.path}, names...)...)
}

// room checks that there is space to start in.
func (f *folder) room(firstStart, laterStarts uint64) error {
	need := laterStarts
	if f.made {
		need = firstStart
	}
	var st unix.Statfs_t
	if err := unix.Statfs(f.path, &st); err != nil {
		return fmt.Errorf("%w: %w", ErrFolder, err)
	}
	if free := st.Bavail * uint64(st.Bsize); free < need {
		return fmt.Errorf("%w: %s has %d MiB free, %d MiB are needed", ErrSpace, f.path, free>>20, need>>20)
	}
	return nil
}

// writeDurably puts a whole file in its place. A crash leaves the old file or the new one.
func writeDurably(path, content string, mode fs.FileMode) error {
	temp := path + ".new"
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_WRONLY|os.O_TRUNC, mode)
	if err != nil {
		return err
	}
	_, err = f.WriteString(content)
	if err == nil {
		err = f.Sync()
	}
	if closeErr := f.Close(); err == nil {
		err = closeErr
	}
	if err == nil {
		err = os.Rename(temp, path)
	}
	if err != nil {
		_ = os.Remove(temp)
		return err
	}
	dir, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer func() { _ = dir.Close() }()
	return dir.Sync()
}
