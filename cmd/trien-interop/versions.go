package main

import (
	"cmp"
	"context"
	"os/exec"
	"runtime"
	"runtime/debug"
	"strings"
)

// versionOf says how each program tells its version.
var versionOf = map[string][]string{
	"pdfsig": {"-v"}, "qpdf": {"--version"}, "mutool": {"-v"}, "openssl": {"version"}, "pdflatex": {"--version"}, "soffice": {"--version"},
	"gs": {"--version"}, "chromium": {"--version"}, "rsvg-convert": {"--version"},
}

// toolVersions asks every program that this run uses, and Python for its libraries.
func toolVersions(ctx context.Context, o options, inputs []input) (map[string]string, error) {
	out := map[string]string{"go": runtime.Version()}
	names := []string{"pdfsig", "qpdf", "mutool", "openssl"}
	for _, in := range inputs {
		if in.needs != "" {
			names = append(names, in.needs)
		}
	}
	for _, name := range names {
		if _, known := out[name]; !known {
			var complaints strings.Builder
			cmd := exec.CommandContext(ctx, name, versionOf[name]...)
			cmd.Stderr = &complaints
			text, _ := cmd.Output() // some exit with 1, some tell it on the other channel
			line, _, _ := strings.Cut(strings.TrimSpace(cmp.Or(string(text), complaints.String())), "\n")
			out[name] = line
		}
	}
	list, err := exec.CommandContext(ctx, o.python, "-I", "-m", "pip", "freeze", "--all").Output()
	if err != nil {
		return nil, err
	}
	for _, line := range strings.Fields(string(list)) {
		if name, v, ok := strings.Cut(line, "=="); ok {
			out["PyPI "+name] = v
		}
	}
	if info, ok := debug.ReadBuildInfo(); ok {
		for _, m := range info.Deps {
			if m.Path == "github.com/digitorus/pdfsign" || m.Path == "github.com/go-pdf/fpdf" {
				out[m.Path] = m.Version
			}
		}
	}
	return out, ctx.Err()
}
