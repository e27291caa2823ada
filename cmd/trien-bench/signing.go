package main

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	_ "embed"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"time"

	"trien/certs"
	"trien/certs/devpki"
)

// signatureMemoryGoal is what signing may hold at most, whatever the size of the document.
const signatureMemoryGoal = 64 // MiB

//go:embed contender.py
var pyhankoScript []byte

// signatureBench measures signatures: of the vault's code, of pdfsign, of pyHanko, the key's operation alone, and the least that any signer does.
type signatureBench struct {
	signaturePlan
	folder   string
	python   string // an interpreter that has pyHanko; "" if there is none
	program  string // this one
	progress io.Writer

	authority *devpki.Authority
	serving   chan error
	stop      context.CancelFunc
	keys      map[string]task // by kind of key: what identifies the signer
}

const (
	keyRSA = "RSA-2048"
	keyEC  = "P-256"
)

func (s *signatureBench) say(format string, args ...any) {
	fmt.Fprintf(s.progress, time.Now().Format("15:04:05 ")+format+"\n", args...)
}

// open starts an authority on loopback and has it issue a certificate for a key of each kind.
func (s *signatureBench) open(ctx context.Context) (err error) {
	if err := os.MkdirAll(s.folder, 0o700); err != nil {
		return err
	}
	if s.program, err = os.Executable(); err != nil {
		return err
	}
	if s.authority, err = devpki.Open(""); err != nil {
		return err
	}
	ctx, s.stop = context.WithCancel(ctx)
	s.serving = make(chan error, 1)
	go func() { s.serving <- s.authority.Serve(ctx) }()
	s.keys = map[string]task{}
	for kind, make := range map[string]func() (crypto.Signer, error){
		keyRSA: func() (crypto.Signer, error) { return rsa.GenerateKey(rand.Reader, 2048) },
		keyEC:  func() (crypto.Signer, error) { return ecdsa.GenerateKey(elliptic.P256(), rand.Reader) },
	} {
		key, err := make()
		if err != nil {
			return err
		}
		if s.keys[kind], err = s.issue(kind, key); err != nil {
			return fmt.Errorf("making a signer: %w", err)
		}
	}
	return os.WriteFile(s.script(), pyhankoScript, 0o600)
}

func (s *signatureBench) script() string { return filepath.Join(s.folder, "contender.py") }

func (s *signatureBench) close() error {
	if s.stop == nil {
		return nil
	}
	s.stop()
	s.stop = nil
	return <-s.serving
}

// issue writes key and certificates where all contenders read them.
func (s *signatureBench) issue(kind string, key crypto.Signer) (task, error) {
	cert, err := s.authority.IssuePerson(devpki.Subject{CommonName: "Nguyễn Văn Minh Họa", Organisation: "Đo tốc độ"}, key.Public())
	if err != nil {
		return task{}, err
	}
	secret, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return task{}, err
	}
	at := func(name string) string { return filepath.Join(s.folder, kind+name) }
	t := task{Key: at("-key.pem"), Certificates: at("-certificates.pem"), Root: at("-root.pem"), TSA: s.authority.TSA()}
	return t, errors.Join(
		os.WriteFile(t.Key, pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: secret}), 0o600),
		os.WriteFile(t.Certificates, certs.EncodePEM(slices.Concat([]*x509.Certificate{cert}, s.authority.Intermediates())...), 0o600),
		os.WriteFile(t.Root, certs.EncodePEM(s.authority.Root()), 0o600),
	)
}

// benchSignatures measures all that is about signatures.
func benchSignatures(ctx context.Context, o options, p signaturePlan, folder string, progress io.Writer) (rows []row, err error) {
	s := &signatureBench{signaturePlan: p, folder: folder, python: o.python, progress: progress}
	defer func() { err = errors.Join(err, s.close()) }()
	if err := s.open(ctx); err != nil {
		return nil, err
	}
	if s.python == "" {
		s.say("pyHanko is not installed: signatures are not compared with its")
	}
	for _, measure := range []func(context.Context) ([]row, error){s.signatures, s.extremes, s.judging} {
		more, err := measure(ctx)
		if err != nil {
			return nil, err
		}
		rows = append(rows, more...)
	}
	return rows, nil
}

// signatures measures each series.
func (s *signatureBench) signatures(ctx context.Context) ([]row, error) {
	var rows []row
	for _, size := range s.sizes {
		input := filepath.Join(s.folder, "input.pdf")
		if err := writeDocument(input, size.bytes); err != nil {
			return nil, err
		}
		var most measured
		for _, p := range size.series {
			s.say("signing %s at %s by %s: %d rounds", amount(size.bytes), p.level, p.key, s.rounds)
			t := s.keys[p.key]
			t.Input, t.Level = input, p.level
			m, err := s.measure(ctx, t)
			if err != nil {
				return nil, fmt.Errorf("signing %s at %s: %w", amount(size.bytes), p.level, err)
			}
			rows = append(rows, p.rows(amount(size.bytes), m)...)
			most.keepPeaks(m)
		}
		rows = append(rows, most.peakRows(amount(size.bytes))...)
	}
	return rows, nil
}

// extremes watches our own memory while documents are signed that are large in one way or the other.
func (s *signatureBench) extremes(ctx context.Context) ([]row, error) {
	var rows []row
	for _, document := range []struct {
		name  string
		write func(path string) error
	}{
		{amount(s.large), func(path string) error { return writeDocument(path, s.large) }},
		{fmt.Sprintf("%d objects", s.objects), func(path string) error {
			return writeFile(path, func(w io.Writer) error { return writeMany(w, s.objects) })
		}},
	} {
		s.say("memory while a document of %s is signed", document.name)
		t := s.keys[keyRSA]
		t.Input, t.Output, t.Level = filepath.Join(s.folder, "input.pdf"), s.output(contenderTrien), levelB
		if err := document.write(t.Input); err != nil {
			return nil, err
		}
		peak, err := s.peakOf(ctx, t)
		if err != nil {
			return nil, err
		}
		rows = append(rows, atMost("peak memory, signing "+document.name, "MiB", peak, signatureMemoryGoal))
		if err := errors.Join(os.Remove(t.Input), os.Remove(t.Output)); err != nil {
			return nil, err
		}
	}
	return rows, nil
}

// peakOf is our own peak after some signatures.
func (s *signatureBench) peakOf(ctx context.Context, t task) (peak float64, err error) {
	c, err := startContender(ctx, contenderTrien, t, s.program, contendArgument, contenderTrien)
	if err != nil {
		return 0, err
	}
	defer func() { err = errors.Join(err, c.stop()) }()
	for range 3 {
		if _, err := c.run(0); err != nil {
			return 0, err
		}
	}
	if err := checkSigned(ctx, t, certs.NewAnchors(s.authority.Root())); err != nil {
		return 0, err
	}
	return c.peak()
}

// start starts the contenders of a task, in the order of their turns.
func (s *signatureBench) start(ctx context.Context, t task) (all []*contender, err error) {
	for _, name := range peersAt(t.Level) {
		t.Output = s.output(name)
		var c *contender
		switch {
		case name != contenderPyHanko:
			c, err = startContender(ctx, name, t, s.program, contendArgument, name)
		case s.python != "":
			c, err = startContender(ctx, name, t, s.python, s.script(), "sign")
		default:
			continue
		}
		if err != nil {
			return all, err
		}
		all = append(all, c)
	}
	return all, nil
}

func (s *signatureBench) output(name string) string { return filepath.Join(s.folder, name+".pdf") }

// peersAt names who signs at a level, ourselves first. pdfsign knows no B-LTA.
func peersAt(level string) []string {
	switch level {
	case levelB:
		return []string{contenderTrien, contenderPDFSign, contenderPyHanko, contenderKey, contenderLeast, contenderChecked}
	case levelT:
		return []string{contenderTrien, contenderPDFSign, contenderPyHanko}
	}
	return []string{contenderTrien, contenderPyHanko}
}

// makesPDF says whether a contender's output is a signed PDF.
func makesPDF(name string) bool {
	return name == contenderTrien || name == contenderPDFSign || name == contenderPyHanko
}

// measured is what a series gave, by contender.
type measured struct {
	speeds    map[string]float64 // signatures per second, the median of the rounds
	processor map[string]float64 // milliseconds of processor time for each signature
	peaks     map[string]float64 // MiB
}

// measure lets the contenders take turns. Each first works once, to warm up, and what it wrote is judged.
func (s *signatureBench) measure(ctx context.Context, t task) (m measured, err error) {
	all, err := s.start(ctx, t)
	defer func() {
		for _, c := range all {
			err = errors.Join(err, c.stop(), os.RemoveAll(s.output(c.name)))
		}
	}()
	if err != nil {
		return m, err
	}
	for _, c := range all {
		if _, err := c.run(0); err != nil {
			return m, err
		}
		if !makesPDF(c.name) {
			continue
		}
		t.Output = s.output(c.name)
		if err := checkSigned(ctx, t, certs.NewAnchors(s.authority.Root())); err != nil {
			return m, fmt.Errorf("%s: %w", c.name, err)
		}
	}
	speeds, worked, counts := map[string][]float64{}, map[string]float64{}, map[string]int{}
	for range s.rounds {
		for _, c := range all {
			took, used, err := c.turn(s.turn)
			if err != nil {
				return m, err
			}
			speeds[c.name] = append(speeds[c.name], 1/mean(took))
			worked[c.name] += used
			counts[c.name] += len(took)
		}
	}
	m = measured{map[string]float64{}, map[string]float64{}, map[string]float64{}}
	for _, c := range all {
		m.speeds[c.name], m.processor[c.name] = median(speeds[c.name]), worked[c.name]*1000/float64(counts[c.name])
		if m.peaks[c.name], err = c.peak(); err != nil {
			return m, err
		}
	}
	return m, nil
}

func mean(values []float64) float64 {
	var sum float64
	for _, v := range values {
		sum += v
	}
	return sum / float64(len(values))
}

const perSecond = "sig/s"

// rows compares ours with each peer, and the least that any signer does with pdfsign.
func (p signatureSeries) rows(size string, m measured) []row {
	var rows []row
	what := fmt.Sprintf("%s, %s, %s, beside ", size, p.level, p.key)
	for _, peer := range peersAt(p.level)[1:] {
		name := "sign " + what + peer
		ours, theirs := m.speeds[contenderTrien], m.speeds[peer]
		goal := p.goals[peer]
		switch {
		case peer == contenderLeast || peer == contenderChecked:
			continue
		case theirs == 0:
			rows = append(rows, without(name+" (not installed)", perSecond, ours))
		case goal == 0:
			rows = append(rows, beside(name, perSecond, ours, theirs))
		default:
			rows = append(rows, against(name, perSecond, ours, theirs, goal).within(m.speeds[contenderLeast]/theirs, goal))
		}
	}
	if p.level == levelB {
		for _, work := range []string{contenderLeast, contenderChecked} {
			rows = append(rows, beside(work+" to sign "+what+contenderPDFSign, perSecond, m.speeds[work], m.speeds[contenderPDFSign]))
		}
		rows = append(rows, beside("processor time to sign "+what+contenderPDFSign, "ms", m.processor[contenderTrien], m.processor[contenderPDFSign]))
	}
	return rows
}

// keepPeaks keeps the higher peak of each contender.
func (m *measured) keepPeaks(other measured) {
	if m.peaks == nil {
		m.peaks = map[string]float64{}
	}
	for name, peak := range other.peaks {
		m.peaks[name] = max(m.peaks[name], peak)
	}
}

// peakRows: ours has a goal, the others' are to know them.
func (m *measured) peakRows(size string) []row {
	name := "peak memory, signing " + size
	rows := []row{atMost(name, "MiB", m.peaks[contenderTrien], signatureMemoryGoal)}
	for _, peer := range []string{contenderPDFSign, contenderPyHanko} {
		if theirs := m.peaks[peer]; theirs > 0 {
			rows = append(rows, beside(name+", beside "+peer, "MiB", m.peaks[contenderTrien], theirs))
		}
	}
	return rows
}
