package api

import (
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"log/slog"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"

	"github.com/gin-gonic/gin"
)

// What make build leaves in the folder; a clean clone has none of it.
//
//go:embed generated
var generatedFiles embed.FS

const (
	wasmFile   = "verifier.wasm"
	glueFile   = "wasm_exec.js"
	workerFile = "verify-worker.js"
)

// The page that compiles the verifier may run WebAssembly, and so may the worker, which reads the file: that one may not ask
// anybody for anything.
const (
	verifyPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; " +
		"frame-ancestors 'none'; connect-src 'self'; base-uri 'none'"
	workerPolicy = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; connect-src 'none'"
)

// verifier is trien-verify for browsers, with what connects it to them.
type verifier struct {
	packed []byte // gzip
	glue   []byte
	SHA256 string // of the program as the browser runs it
	Size   int64  // likewise
	hash   map[string]string
}

// builtIn is the verifier that this program was built with.
var builtIn = sync.OnceValues(func() (*verifier, error) {
	folder, err := fs.Sub(generatedFiles, "generated")
	if err != nil {
		return nil, err
	}
	return openVerifier(folder)
})

// openVerifier reads a folder as make build leaves it. If it is not there, the error wraps [fs.ErrNotExist].
func openVerifier(folder fs.FS) (*verifier, error) {
	v := &verifier{}
	var err error
	if v.packed, err = fs.ReadFile(folder, wasmFile+".gz"); err != nil {
		return nil, err
	}
	if v.glue, err = fs.ReadFile(folder, glueFile); err != nil {
		return nil, err
	}
	h := sha256.New()
	if v.Size, err = v.unpack(h); err != nil {
		return nil, fmt.Errorf("unpacking %s.gz: %w", wasmFile, err)
	}
	v.SHA256 = hex.EncodeToString(h.Sum(nil))
	glue := sha256.Sum256(v.glue)
	v.hash = map[string]string{wasmFile: v.SHA256[:12], glueFile: hex.EncodeToString(glue[:6])}
	return v, nil
}

// verifierOf opens the verifier of a server; nil if the program was built without one.
func verifierOf(c Config) *verifier {
	v, err := builtIn()
	if c.Verifier != nil {
		v, err = openVerifier(c.Verifier)
	}
	switch {
	case errors.Is(err, fs.ErrNotExist):
		c.Logger.Info("built without the verifier for browsers")
	case err != nil:
		c.Logger.Warn("the verifier for browsers cannot be used", slog.Any("error", err))
	}
	return v
}

func (v *verifier) unpack(w io.Writer) (int64, error) {
	z, err := gzip.NewReader(bytes.NewReader(v.packed))
	if err != nil {
		return 0, err
	}
	return io.Copy(w, z) //nolint:gosec // what the build packed, not a stranger
}

// PackedSize is how many bytes a browser fetches.
func (v *verifier) PackedSize() int64 { return int64(len(v.packed)) }

// Address of one of the files, or of the worker: with its hash, so that browsers may keep it for good.
func (v *verifier) Address(name string) string {
	hash, ok := v.hash[name]
	if !ok {
		hash = assetHash[name]
	}
	return "/static/" + name + "?v=" + hash
}

// serveVerifier answers with one of the verifier's files; false: there is none of that name.
func (s *Server) serveVerifier(c *gin.Context, name string) (bool, error) {
	v := s.verifier
	if v == nil || v.hash[name] == "" {
		return false, nil
	}
	if c.Query("v") == v.hash[name] {
		c.Header("Cache-Control", forGood)
	}
	if name == glueFile {
		s.writeBytes(c, http.StatusOK, "text/javascript; charset=utf-8", v.glue)
		return true, nil
	}
	c.Header("Content-Type", "application/wasm")
	c.Header("Vary", "Accept-Encoding")
	w := &patientWriter{c.Writer, s.limits.Stall}
	var err error
	if takesGzip(c.GetHeader("Accept-Encoding")) {
		c.Header("Content-Encoding", "gzip")
		c.Header("Content-Length", strconv.Itoa(len(v.packed)))
		_, err = io.Copy(w, struct{ io.Reader }{bytes.NewReader(v.packed)})
	} else {
		c.Header("Content-Length", strconv.FormatInt(v.Size, 10))
		_, err = v.unpack(w)
	}
	if err != nil {
		return true, fmt.Errorf("%w: %w", errGone, err)
	}
	return true, nil
}

// patientWriter gives each write its own deadline, so that a slow line may take long over megabytes.
type patientWriter struct {
	w     http.ResponseWriter
	stall time.Duration
}

func (w *patientWriter) Write(p []byte) (int, error) {
	extendWrite(w.w, w.stall)
	return w.w.Write(p)
}

// takesGzip reads Accept-Encoding: gzip is named, and not with a weight of nothing.
func takesGzip(header string) bool {
	for one := range strings.SplitSeq(header, ",") {
		name, weight, _ := strings.Cut(strings.TrimSpace(one), ";")
		if strings.TrimSpace(name) != "gzip" {
			continue
		}
		q, _ := strings.CutPrefix(strings.TrimSpace(weight), "q=")
		f, err := strconv.ParseFloat(q, 64)
		return err != nil || f > 0
	}
	return false
}
