// Package softhsm makes SoftHSM2 tokens in a folder, for demonstrations and tests: they behave like tokens, but their keys lie in files.
//
// SoftHSM2 reads the path of its configuration from the environment when its module starts, once per process, and sees only the
// tokens that exist then. A process that uses several tokens keeps them in one folder and makes them before it opens the first.
package softhsm

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Kinds of failure.
var (
	ErrMissing = errors.New("softhsm: SoftHSM2 is not installed")
	ErrFailed  = errors.New("softhsm: failed")
)

const (
	confVar  = "SOFTHSM2_CONF"
	confFile = "softhsm2.conf"
	tool     = "softhsm2-util"
)

// places where distributions put the module.
var places = []string{
	"/usr/lib/softhsm/libsofthsm2.so",
	"/usr/lib/x86_64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib/aarch64-linux-gnu/softhsm/libsofthsm2.so",
	"/usr/lib64/softhsm/libsofthsm2.so",
	"/usr/lib64/pkcs11/libsofthsm2.so",
	"/usr/local/lib/softhsm/libsofthsm2.so",
}

// Module returns the path of the PKCS#11 module. Errors wrap ErrMissing and say what to install.
func Module() (string, error) {
	for _, p := range places {
		if _, err := os.Stat(p); err == nil {
			return p, nil
		}
	}
	return "", fmt.Errorf("%w: no libsofthsm2.so in the usual places; on Debian: apt-get install softhsm2", ErrMissing)
}

// InitToken makes a token with the label and user PIN given (at least 4 characters) in dir, which it creates (0700) with a configuration for SoftHSM2. A token of
// that label that is already there is left as it is, PIN included. env is the assignment (SOFTHSM2_CONF=…) that processes using module need
// in their environment; [Use] makes it in this one. Errors wrap ErrMissing or ErrFailed.
func InitToken(ctx context.Context, dir, label, pin string) (module, env string, err error) {
	if module, err = Module(); err != nil {
		return "", "", err
	}
	path, err := exec.LookPath(tool)
	if err != nil {
		return "", "", fmt.Errorf("%w: no %s; on Debian: apt-get install softhsm2", ErrMissing, tool)
	}
	conf, err := writeConf(dir)
	if err != nil {
		return "", "", err
	}
	env = confVar + "=" + conf
	run := func(args ...string) ([]byte, error) {
		cmd := exec.CommandContext(ctx, path, args...)
		cmd.Env = append(os.Environ(), env)
		out, err := cmd.CombinedOutput()
		if err != nil {
			// The arguments hold the PIN: neither they nor the output are repeated, but for its first line.
			line, _, _ := bytes.Cut(bytes.TrimSpace(out), []byte("\n"))
			return nil, fmt.Errorf("%w: %s: %w: %s", ErrFailed, tool, err, strings.ReplaceAll(string(line), pin, "…"))
		}
		return out, nil
	}
	slots, err := run("--show-slots")
	if err != nil {
		return "", "", err
	}
	if hasLabel(slots, label) {
		return module, env, nil
	}
	// The PIN is seen in the process list for a moment: these tokens guard nothing.
	if _, err := run("--init-token", "--free", "--label", label, "--so-pin", pin, "--pin", pin); err != nil {
		return "", "", err
	}
	return module, env, nil
}

// hasLabel reads the output of softhsm2-util --show-slots.
func hasLabel(out []byte, label string) bool {
	for line := range strings.Lines(string(out)) {
		key, value, ok := strings.Cut(line, ":")
		if ok && strings.TrimSpace(key) == "Label" && strings.TrimSpace(value) == label {
			return true
		}
	}
	return false
}

// writeConf makes the folder of tokens and the configuration that names it. Its content depends on dir alone, so writing it again is harmless.
func writeConf(dir string) (string, error) {
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrFailed, err)
	}
	tokens := filepath.Join(dir, "tokens")
	if strings.ContainsAny(tokens, "\n\r") {
		return "", fmt.Errorf("%w: path of the token folder has a line break", ErrFailed)
	}
	if err := os.MkdirAll(tokens, 0o700); err != nil {
		return "", fmt.Errorf("%w: %w", ErrFailed, err)
	}
	text := "directories.tokendir = " + tokens + "\nobjectstore.backend = file\nlog.level = ERROR\nslots.removable = false\n"
	conf := filepath.Join(dir, confFile)
	if old, err := os.ReadFile(conf); err == nil && string(old) == text {
		return conf, nil
	}
	tmp := conf + ".new"
	if err := os.WriteFile(tmp, []byte(text), 0o600); err != nil {
		return "", fmt.Errorf("%w: %w", ErrFailed, err)
	}
	if err := os.Rename(tmp, conf); err != nil {
		return "", fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return conf, nil
}

// Use makes the assignment that [InitToken] returned in this process. Call it before the first token is opened.
func Use(env string) error {
	name, value, ok := strings.Cut(env, "=")
	if !ok || name != confVar {
		return fmt.Errorf("%w: %q is not an assignment to %s", ErrFailed, env, confVar)
	}
	if err := os.Setenv(name, value); err != nil {
		return fmt.Errorf("%w: %w", ErrFailed, err)
	}
	return nil
}
