package trillianlog

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"runtime/pprof"
	"strconv"
	"strings"
	"sync/atomic"
	"syscall"
	"testing"
	"time"

	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
	"trien/ledger/tiles"
)

// mortal is a public copy, a witness and a key, whose process kills itself at one of the steps from a leaf in Trillian to a
// published checkpoint: a step before has had its effect, one after has not begun.
type mortal struct {
	*tiles.Folder
	note.Signer
	policy *ledger.Policy
	left   atomic.Int64
}

// step counts what signs or puts something or asks somebody, before and after, and says where it dies.
func (m *mortal) step(name string) {
	if m.left.Add(-1) == 0 {
		fmt.Println(name)
		_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
		select {}
	}
}

func (m *mortal) Create(ctx context.Context, path string, data []byte) error {
	m.step("before putting " + path)
	defer m.step("after putting " + path)
	return m.Folder.Create(ctx, path, data)
}

func (m *mortal) Replace(ctx context.Context, path string, older, data []byte) error {
	m.step("before showing the checkpoint")
	defer m.step("after showing the checkpoint")
	return m.Folder.Replace(ctx, path, older, data)
}

func (m *mortal) Policy() *ledger.Policy { return m.policy }

func (m *mortal) Cosign(_ context.Context, signed []byte, _ func(context.Context, uint64) ([]ledger.Hash, error)) ([]byte, error) {
	m.step("before the witness")
	defer m.step("after the witness")
	return signed, nil
}

// Sign implements [note.Signer].
func (m *mortal) Sign(text []byte) ([]byte, error) {
	what := "the head"
	if bytes.HasPrefix(text, []byte("cosignature/")) {
		what = "the time"
	}
	m.step("before signing " + what)
	defer m.step("after signing " + what)
	return m.Signer.Sign(text)
}

// A child that neither dies nor publishes says where it stands, after a while, and ends with this code.
const (
	childStuck    = 9
	childPatience = 45 * time.Second
)

const (
	childCopyEnv = "TRIEN_LOG_TEST_COPY" // folder of the public copy
	childStepEnv = "TRIEN_LOG_TEST_STEP" // at which to die
)

// childPublish appends three entries and publishes until it dies, or until they are published: then it says so.
func childPublish(from int) error {
	ctx := context.Background()
	folder, err := tiles.OpenFolder(os.Getenv(childCopyEnv))
	if err != nil {
		return err
	}
	step, err := strconv.Atoi(os.Getenv(childStepEnv))
	if err != nil {
		return err
	}
	cfg := testConfig(os.Getenv(childDBEnv))
	policy, err := ledger.NewPolicy(cfg.VerifierKey)
	if err != nil {
		return err
	}
	m := &mortal{Folder: folder, Signer: cfg.Signer, policy: policy}
	cfg.Public, cfg.Cosigner, cfg.Signer = m, m, m
	l, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	// Appended before anything is published, so that whoever dies leaves the next one as many entries as it counts on.
	if err := l.Append(ctx, entries(from, from+3)); err != nil {
		return err
	}
	m.left.Store(int64(step))
	go func() {
		err := l.Run(ctx)
		fmt.Println("Run ended:", err)
		os.Exit(childStuck)
	}()
	time.AfterFunc(childPatience, func() {
		_ = pprof.Lookup("goroutine").WriteTo(os.Stdout, 1)
		os.Exit(childStuck)
	})
	for {
		signed, err := folder.Read(ctx, tiles.CheckpointPath)
		if err == nil {
			if c, err := policy.OpenCheckpoint(signed); err != nil {
				return err
			} else if c.Size == uint64(from+3) {
				fmt.Println("published")
				os.Exit(0)
			}
		}
		time.Sleep(time.Millisecond)
	}
}

// kill -9 between any two steps of publishing: a stranger always finds whole what the checkpoint names, and the next process
// goes on.
func TestKilledBetweenSteps(t *testing.T) {
	database := newDatabase(t)
	openLog(t, testConfig(database))
	keyFile := filepath.Join(t.TempDir(), "log.key")
	if err := logKey().WriteFile(keyFile); err != nil {
		t.Fatal(err)
	}
	policy, err := ledger.NewPolicy(logKey().VerifierKey())
	if err != nil {
		t.Fatal(err)
	}
	dir := t.TempDir()
	folder, err := tiles.OpenFolder(dir)
	if err != nil {
		t.Fatal(err)
	}
	killed, last := 0, uint64(0)
	for step, from := 1, 0; ; step, from = step+1, from+3 {
		child := exec.Command(os.Args[0])
		child.Env = append(os.Environ(), childEnv+"="+strconv.Itoa(from), childKeyEnv+"="+keyFile, childDBEnv+"="+database,
			childCopyEnv+"="+dir, childStepEnv+"="+strconv.Itoa(step))
		child.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
		runtime.LockOSThread() // Pdeathsig
		out, err := child.Output()
		runtime.UnlockOSThread()
		if signed, readErr := folder.Read(t.Context(), tiles.CheckpointPath); readErr == nil {
			c, err := policy.OpenCheckpoint(signed)
			if err != nil || c.Size < last {
				t.Fatalf("step %d: %+v after size %d, %v", step, c, last, err)
			}
			wholeCopy(t, folder, c)
			last = c.Size
		}
		if err == nil && strings.Contains(string(out), "published") {
			break
		}
		killed++
		if status, ok := child.ProcessState.Sys().(syscall.WaitStatus); !ok || status.Signal() != syscall.SIGKILL {
			t.Fatalf("step %d: %v, %s", step, err, out)
		}
		t.Logf("killed %s", out[:max(0, len(out)-1)])
	}
	if killed < 10 {
		t.Errorf("killed only %d times", killed)
	}
	t.Logf("killed at %d steps, the copy has size %d", killed, last)
}
