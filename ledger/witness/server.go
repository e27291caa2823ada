package witness

import (
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"sync"
	"time"

	"golang.org/x/mod/sumdb/note"

	"trien/ledger"
)

// ServerConfig says for which logs a witness signs, with which key, and where it remembers what it co-signed.
type ServerConfig struct {
	Key    ledger.Signer    // its name is the witness's; a key of its own, not a log's
	Logs   []*ledger.Policy // of each: the origin and the log's keys; witnesses are not looked at
	Dir    string           // exists; no other server uses it
	Clock  func() time.Time // nil: time.Now
	Logger *slog.Logger     // nil: silence
}

// Server is a witness: an http.Handler of c2sp.org/tlog-witness, add-checkpoint, and of GET /<origin hash>/checkpoint, where it
// shows the last checkpoint that it co-signed of a log (the origin hash is that of c2sp.org/tlog-mirror: SHA-256, hex).
// The first checkpoint that it sees of a log it believes.
type Server struct {
	cosigner *ledger.Cosigner
	logs     map[string]*witnessed // by origin
	shown    map[string]*witnessed // by origin hash
	clock    func() time.Time
	logger   *slog.Logger
	mux      *http.ServeMux
	dir      *stateDir
}

// witnessed is one log.
type witnessed struct {
	origin string
	keys   note.Verifiers
	mu     sync.Mutex // one request at a time decides and writes
	latest *state     // nil: to be read
}

// NewServer opens the state of a witness, which nobody else may use until [Server.Close]. Errors wrap [ledger.ErrMalformed],
// [ledger.ErrPolicy], [ledger.ErrTampered] (a state that is not signed by its log) or [ErrInUse], or come from the file system.
func NewServer(cfg ServerConfig) (_ *Server, err error) {
	s := &Server{logs: map[string]*witnessed{}, shown: map[string]*witnessed{}, clock: cfg.Clock, logger: cfg.Logger, mux: http.NewServeMux()}
	if s.clock == nil {
		s.clock = time.Now
	}
	if s.logger == nil {
		s.logger = slog.New(slog.DiscardHandler)
	}
	if s.cosigner, err = ledger.NewCosigner(cfg.Key); err != nil {
		return nil, err
	}
	for _, p := range cfg.Logs {
		if err := s.follow(p); err != nil {
			return nil, err
		}
	}
	if s.dir, err = openStateDir(cfg.Dir); err != nil {
		return nil, err
	}
	for _, l := range s.logs {
		if l.latest, err = s.dir.read(l); err != nil {
			return nil, errors.Join(err, s.dir.close())
		}
	}
	s.mux.HandleFunc("POST "+addCheckpointPath, s.addCheckpoint)
	s.mux.HandleFunc("GET /{hash}/checkpoint", s.showCheckpoint)
	return s, nil
}

func (s *Server) follow(p *ledger.Policy) error {
	keys := p.LogKeys()
	if len(keys) == 0 {
		return fmt.Errorf("%w: a policy without a log", ledger.ErrPolicy)
	}
	if s.logs[p.Origin()] != nil {
		return fmt.Errorf("%w: two policies for the log %q", ledger.ErrPolicy, p.Origin())
	}
	var verifiers []note.Verifier
	for _, k := range keys {
		v, err := note.NewVerifier(k)
		if err != nil {
			return fmt.Errorf("%w: key of the log %q: %w", ledger.ErrMalformed, p.Origin(), err)
		}
		verifiers = append(verifiers, v)
	}
	l := &witnessed{origin: p.Origin(), keys: note.VerifierList(verifiers...)}
	s.logs[l.origin], s.shown[originHash(l.origin)] = l, l
	return nil
}

// Close gives the state to whoever comes next. Requests must have ended.
func (s *Server) Close() error { return s.dir.close() }

// VerifierKey is the vkey, of type 0x04, under which policies name this witness.
func (s *Server) VerifierKey() string { return s.cosigner.VerifierKey() }

// ServeHTTP answers as the protocol says.
func (s *Server) ServeHTTP(w http.ResponseWriter, r *http.Request) { s.mux.ServeHTTP(w, r) }

// refusal is an answer other than 200.
type refusal struct {
	status int
	body   string
	kind   string // content type; "": plain text
}

func (r *refusal) Error() string { return r.body }

func refuse(status int, why string) error { return &refusal{status: status, body: why + "\n"} }

func (s *Server) addCheckpoint(w http.ResponseWriter, r *http.Request) {
	line, err := s.decide(r.Context(), http.MaxBytesReader(w, r.Body, maxRequest))
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	var no *refusal
	switch {
	case errors.As(err, &no):
		if no.kind != "" {
			w.Header().Set("Content-Type", no.kind)
		}
		w.WriteHeader(no.status)
		_, _ = io.WriteString(w, no.body)
	case err != nil:
		s.logger.Error("co-signing failed", slog.Any("error", err))
		http.Error(w, "internal error", http.StatusInternalServerError)
	default:
		_, _ = io.WriteString(w, line)
	}
}

// decide judges a request in the order of the specification and, if all holds, co-signs, writes down what it co-signed and
// returns the signature line.
func (s *Server) decide(ctx context.Context, body io.Reader) (string, error) {
	raw, err := io.ReadAll(body)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "the request is too long or broke off")
	}
	r, err := parseRequest(raw)
	if err != nil {
		return "", refuse(http.StatusBadRequest, "not an add-checkpoint request")
	}
	l := s.logs[originOf(r.note)]
	if l == nil {
		return "", refuse(http.StatusNotFound, "unknown log")
	}
	next, err := openState(r.note, l)
	switch {
	case errors.Is(err, ledger.ErrPolicy):
		return "", refuse(http.StatusForbidden, "no valid signature by a key of this log")
	case err != nil:
		return "", refuse(http.StatusBadRequest, "not a checkpoint")
	}
	if r.old > next.Size {
		return "", refuse(http.StatusBadRequest, "the old size is larger than the checkpoint's")
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if err := ctx.Err(); err != nil {
		return "", err // nobody waits for the answer any more
	}
	if l.latest == nil {
		if l.latest, err = s.dir.read(l); err != nil {
			return "", err
		}
	}
	if err := s.judgeGrowth(l, r, next); err != nil {
		return "", err
	}
	line, err := s.cosigner.Cosign(next.text, s.clock())
	if err != nil {
		return "", err
	}
	next.note = append(next.note, line...)
	if err := s.dir.write(l, next); err != nil {
		l.latest = nil // the old or the new one is on disk: the next request reads which
		return "", err
	}
	l.latest = next
	return line, nil
}

// judgeGrowth says whether next extends what was co-signed last.
func (s *Server) judgeGrowth(l *witnessed, r request, next *state) error {
	last := l.latest
	if r.old != last.Size {
		return &refusal{status: http.StatusConflict, body: fmt.Sprintf("%d\n", last.Size), kind: sizeType}
	}
	if next.Size == last.Size && last.note != nil && next.Root != last.Root {
		s.logger.Error("a log signed two trees of one size",
			slog.String("origin", l.origin), slog.Uint64("size", next.Size), slog.String("cosigned", last.Root.String()), slog.String("refused", next.Root.String()))
		if err := s.dir.keepFork(l, next); err != nil {
			s.logger.Error("evidence of a fork could not be kept", slog.String("origin", l.origin), slog.Any("error", err))
		}
		return refuse(http.StatusConflict, "another root was co-signed for this size")
	}
	if next.Size == 0 && next.Root != ledger.EmptyRoot() {
		return refuse(http.StatusUnprocessableEntity, "an empty tree has another root")
	}
	if last.Size == 0 {
		if len(r.proof) > 0 {
			return refuse(http.StatusUnprocessableEntity, "the proof from size 0 is not empty")
		}
		return nil
	}
	if err := ledger.CheckConsistency(last.Checkpoint, next.Checkpoint, r.proof); err != nil {
		s.logger.Warn("a checkpoint was not proven to extend the last one",
			slog.String("origin", l.origin), slog.Uint64("last", last.Size), slog.Uint64("size", next.Size))
		return refuse(http.StatusUnprocessableEntity, "the consistency proof does not hold")
	}
	return nil
}

func (s *Server) showCheckpoint(w http.ResponseWriter, r *http.Request) {
	l := s.shown[r.PathValue("hash")]
	if l == nil {
		http.NotFound(w, r)
		return
	}
	l.mu.Lock()
	latest := l.latest
	l.mu.Unlock()
	if latest == nil || latest.note == nil {
		http.NotFound(w, r)
		return
	}
	w.Header().Set("Content-Type", "text/plain; charset=utf-8")
	w.Header().Set("X-Content-Type-Options", "nosniff")
	w.Header().Set("Cache-Control", "no-store")
	_, _ = w.Write(latest.note)
}
