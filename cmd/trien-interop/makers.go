package main

import (
	"bytes"
	"context"
	"crypto"
	"crypto/x509"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"

	digitorus "github.com/digitorus/pdf"
	"github.com/digitorus/pdfsign/revocation"
	"github.com/digitorus/pdfsign/sign"
	"github.com/go-fonts/liberation/liberationserifregular"

	"trien/vault/vaulttest/samples"
)

// maker makes inputs: with programs of Debian, with libraries of PyPI, or with Go. It is one worker's.
type maker struct {
	lab    *lab
	python *peer
	folder string // where programs run, with a home and a font of their own
}

type makeFunc func(ctx context.Context, m *maker, path string) error

func openMaker(ctx context.Context, o options, l *lab, folder string) (*maker, error) {
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return nil, err
	}
	serif := filepath.Join(folder, "serif.ttf")
	if err := os.WriteFile(serif, liberationserifregular.TTF, 0o600); err != nil {
		return nil, err
	}
	m := &maker{lab: l, folder: folder}
	var err error
	m.python, err = startPeer(ctx, o.python, folder, "makers.py", makersSource, serif, l.trust)
	return m, err
}

// run calls a program in the maker's folder, which is also its home: it shall neither read nor leave a user's settings. SOURCE_DATE_EPOCH
// fixes the dates of those that know it.
func (m *maker) run(ctx context.Context, name string, args ...string) error {
	ctx, cancel := context.WithTimeout(ctx, 3*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir = m.folder
	cmd.Env = append(os.Environ(), "HOME="+m.folder, "XDG_RUNTIME_DIR="+m.folder, "SOURCE_DATE_EPOCH=1772413200", "FORCE_SOURCE_DATE=1")
	out, err := cmd.CombinedOutput()
	var status *exec.ExitError
	if errors.As(err, &status) && name == "qpdf" && status.ExitCode() == 3 { // it did, and warns
		err = nil
	}
	if err != nil {
		return fmt.Errorf("%w: %s: %w: %s", errProducer, name, err, shorten(string(out)))
	}
	return nil
}

// write puts a source beside the programs and returns its path.
func (m *maker) write(name, text string) (string, error) {
	path := filepath.Join(m.folder, name)
	return path, os.WriteFile(path, []byte(text), 0o600)
}

// take moves what a program made to where it belongs.
func (m *maker) take(made, path string) error { return os.Rename(filepath.Join(m.folder, made), path) }

// ask has makers.py make a file.
func (m *maker) ask(name, path string, args map[string]any) error {
	var answer struct {
		Problem string `json:"problem"`
	}
	if err := m.python.ask(map[string]any{"maker": name, "out": path, "args": args}, &answer); err != nil {
		return err
	}
	if answer.Problem != "" {
		return fmt.Errorf("%w: %s: %s", errProducer, name, shorten(answer.Problem))
	}
	return nil
}

// byPython makes with a function of makers.py.
func byPython(name string) makeFunc {
	return func(_ context.Context, m *maker, path string) error { return m.ask(name, path, nil) }
}

// from makes another document first and hands its path on.
func from(first makeFunc, then func(ctx context.Context, m *maker, base, path string) error) makeFunc {
	return func(ctx context.Context, m *maker, path string) error {
		base := filepath.Join(m.folder, "base.pdf")
		if err := first(ctx, m, base); err != nil {
			return err
		}
		return then(ctx, m, base, path)
	}
}

// fromPython is a function of makers.py with a base.
func fromPython(name string, first makeFunc, more map[string]any) makeFunc {
	return from(first, func(_ context.Context, m *maker, base, path string) error {
		args := map[string]any{"base": base}
		for k, v := range more {
			args[k] = v
		}
		if _, ok := args["stamps"]; ok {
			args["stamps"] = m.lab.TSA()
		}
		return m.ask(name, path, args)
	})
}

// program runs name with args, in which IN and OUT stand for the files.
func program(first makeFunc, name string, args ...string) makeFunc {
	return from(first, func(ctx context.Context, m *maker, base, path string) error {
		var actual []string
		for _, a := range args {
			actual = append(actual, strings.NewReplacer("IN", base, "OUT", path).Replace(a))
		}
		return m.run(ctx, name, actual...)
	})
}

// source runs a program on a text; the folder then holds made.
func source(file, text, made, name string, args ...string) makeFunc {
	return func(ctx context.Context, m *maker, path string) error {
		if _, err := m.write(file, text); err != nil {
			return err
		}
		if err := m.run(ctx, name, args...); err != nil {
			return err
		}
		return m.take(made, path)
	}
}

// changed edits the bytes of a small document.
func changed(first makeFunc, edit func([]byte) []byte) makeFunc {
	return from(first, func(_ context.Context, _ *maker, base, path string) error {
		b, err := os.ReadFile(base)
		if err != nil {
			return err
		}
		return os.WriteFile(path, edit(b), 0o600)
	})
}

// office has LibreOffice export a text with filter options.
func office(filter string) makeFunc {
	return source("vanban.fodt", officeText, "vanban.pdf", "soffice", "--headless", "--norestore", "--convert-to", "pdf:writer_pdf_Export:"+filter, "vanban.fodt")
}

// tex has pdfTeX typeset a document.
func tex(preamble, body string) makeFunc {
	return source("vanban.tex", preamble+"\n"+texText+body+"\\end{document}\n", "vanban.pdf", "pdflatex", "-interaction=batchmode", "-halt-on-error", "vanban.tex")
}

// chromium prints a page. --no-sandbox: it runs as root in CI, and reads nothing but our text.
func chromium(text string, more ...string) makeFunc {
	return func(ctx context.Context, m *maker, path string) error {
		page, err := m.write("trang.html", text)
		if err != nil {
			return err
		}
		args := append([]string{"--headless", "--no-sandbox", "--disable-gpu", "--no-pdf-header-footer", "--user-data-dir=" + m.folder + "/chromium",
			"--print-to-pdf=" + path}, more...)
		return m.run(ctx, "chromium", append(args, "file://"+page)...)
	}
}

// sample takes a document from the samples that our own tests use, drawn by go-pdf/fpdf.
func sample(origin string) makeFunc {
	return func(_ context.Context, _ *maker, path string) error {
		for _, f := range samples.New(7, "cadre", samples.Small).Files {
			if f.MediaType == "application/pdf" && f.Origin == origin {
				out, err := os.Create(path)
				if err != nil {
					return err
				}
				return errors.Join(f.Write(out), out.Close())
			}
		}
		return fmt.Errorf("%w: no sample is %s", errProducer, origin)
	}
}

// signedByPdfsign signs with digitorus/pdfsign: adbe.pkcs7.detached, with Adobe's revocation attribute.
func signedByPdfsign(first makeFunc) makeFunc {
	return from(first, func(_ context.Context, m *maker, base, path string) error {
		doc, err := os.ReadFile(base)
		if err != nil {
			return err
		}
		r, err := digitorus.NewReader(bytes.NewReader(doc), int64(len(doc)))
		if err != nil {
			return err
		}
		var out bytes.Buffer
		who := m.lab.another
		err = sign.Sign(bytes.NewReader(doc), &out, r, int64(len(doc)), sign.SignData{
			Signature: sign.SignDataSignature{CertType: sign.ApprovalSignature, Info: sign.SignDataSignatureInfo{Name: "Tran Van Thu", Reason: "test", Date: time.Now()}},
			Signer:    who.key, DigestAlgorithm: crypto.SHA256, Certificate: who.cert,
			CertificateChains:  [][]*x509.Certificate{{who.cert, m.lab.Intermediates()[0], m.lab.Root()}},
			RevocationFunction: sign.DefaultEmbedRevocationStatusFunction, RevocationData: revocation.InfoArchival{},
		})
		if err != nil {
			return fmt.Errorf("%w: pdfsign: %w", errProducer, err)
		}
		return os.WriteFile(path, out.Bytes(), 0o600)
	})
}
