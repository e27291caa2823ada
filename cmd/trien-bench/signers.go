package main

import (
	"context"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"io"
	"os"
	"time"

	"github.com/digitorus/pdfsign/sign"

	"trien/certs"
	"trien/signing"
)

// contenders that live in this program. Each reads what a signing service would keep (key, certificates) and returns what does the task once.
var contenders = map[string]func(context.Context, task) (func() error, error){
	contenderTrien:   newTrien,
	contenderPDFSign: newPDFSign,
	contenderKey:     newKeyOperation,
	contenderLeast:   newLeast,
	contenderChecked: newLeastChecked,
	contenderJudge:   newJudge,
}

// Names of the contenders.
const (
	contenderTrien   = "trien"
	contenderPDFSign = "pdfsign"
	contenderKey     = "key"
	contenderLeast   = "least"
	contenderChecked = "least with a check"
	contenderPyHanko = "pyHanko"
	contenderJudge   = "judge"
)

// identity is a key with its certificates.
type identity struct {
	key     crypto.Signer
	chain   []*x509.Certificate // the key's first, without the root
	anchors *certs.Anchors
}

func readIdentity(t task) (identity, error) {
	var id identity
	text, err := os.ReadFile(t.Key)
	if err != nil {
		return id, err
	}
	block, _ := pem.Decode(text)
	if block == nil {
		return id, errors.New("the key is no PEM")
	}
	key, err := x509.ParsePKCS8PrivateKey(block.Bytes)
	if err != nil {
		return id, err
	}
	var ok bool
	if id.key, ok = key.(crypto.Signer); !ok {
		return id, errors.New("the key cannot sign")
	}
	if text, err = os.ReadFile(t.Certificates); err != nil {
		return id, err
	}
	if id.chain, err = certs.ParseCertificates(text); err != nil {
		return id, err
	}
	if text, err = os.ReadFile(t.Root); err != nil {
		return id, err
	}
	id.anchors, err = certs.ParseAnchors(text)
	return id, err
}

// reserveAlone holds a signature with a short chain and no time-stamp.
const reserveAlone = 4 << 10

// trien signs as the vault does.
type trien struct {
	task
	identity
	tsa signing.Timestamper // nil for B-B
}

func newTrien(ctx context.Context, t task) (func() error, error) {
	id, err := readIdentity(t)
	if err != nil {
		return nil, err
	}
	s := &trien{task: t, identity: id}
	if t.Level != levelB {
		s.tsa = signing.NewTimestamper(signing.TSAConfig{URLs: []string{t.TSA}, Anchors: id.anchors})
	}
	return func() error { return s.sign(ctx) }, nil
}

// sign has the kernel copy the document while it is hashed and signed: two readings of a file that lies in memory cost less than one that hands every
// chunk to somebody who writes it.
func (s *trien) sign(ctx context.Context) error {
	return s.copying(func(in, out *os.File, size int64, copied <-chan error) error {
		p, err := s.prepared(ctx, in, size)
		if err := errors.Join(err, <-copied); err != nil {
			return err
		}
		if _, err := out.Write(p.Tail); err != nil || s.Level != levelLTA {
			return err
		}
		return s.archive(ctx, out, p.Size())
	})
}

// copying opens a task's input and output, begins to copy the one to the other, and has work do the rest: it takes from copied whether that went well.
func (t task) copying(work func(in, out *os.File, size int64, copied <-chan error) error) (err error) {
	in, err := os.Open(t.Input)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, in.Close()) }()
	info, err := in.Stat()
	if err != nil {
		return err
	}
	out, err := os.Create(t.Output)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, out.Close()) }()
	return work(in, out, info.Size(), startCopy(out, in, info.Size()))
}

// copyAside is the size in bytes from which a copy beside the work saves more than it costs to wake another thread.
const copyAside = mb

// startCopy has the kernel copy a whole file, and tells when it is done.
func startCopy(out, in *os.File, size int64) <-chan error {
	done := make(chan error, 1)
	run := func() {
		_, err := io.Copy(out, in)
		done <- err
	}
	if size < copyAside {
		run()
	} else {
		go run()
	}
	return done
}

// prepared is the signed revision.
func (s *trien) prepared(ctx context.Context, in io.ReaderAt, size int64) (*signing.Prepared, error) {
	r := signing.Request{Certificate: s.chain[0]}
	if s.tsa == nil {
		r.Reserve = reserveAlone // as pdfsign reserves less without an authority
	}
	p, err := signing.Prepare(ctx, in, size, r)
	if err != nil {
		return nil, err
	}
	return p, p.Sign(ctx, s.key, s.chain[1:], s.tsa)
}

// archive appends evidence and a document time-stamp to the file of that size.
func (s *trien) archive(ctx context.Context, f *os.File, size int64) error {
	evidence, err := signing.Evidence(ctx, f, size, s.anchors)
	if err != nil {
		return err
	}
	if _, err := f.Write(evidence); err != nil {
		return err
	}
	stamp, err := signing.DocumentTimestamp(ctx, f, size+int64(len(evidence)), s.tsa)
	if err != nil {
		return err
	}
	_, err = f.Write(stamp)
	return err
}

// newPDFSign signs as its own command does. It knows B-B and B-T, under an older name of the same.
func newPDFSign(_ context.Context, t task) (func() error, error) {
	id, err := readIdentity(t)
	if err != nil {
		return nil, err
	}
	return func() error {
		data := sign.SignData{
			Signature: sign.SignDataSignature{CertType: sign.ApprovalSignature, Info: sign.SignDataSignatureInfo{Date: time.Now()}},
			Signer:    id.key, DigestAlgorithm: crypto.SHA256, Certificate: id.chain[0], CertificateChains: [][]*x509.Certificate{id.chain},
		}
		if t.Level != levelB {
			data.TSA.URL = t.TSA
		}
		return sign.SignFile(t.Input, t.Output, data)
	}, nil
}

// newKeyOperation is what no signer can do without: the key's signature over one digest.
func newKeyOperation(_ context.Context, t task) (func() error, error) {
	id, err := readIdentity(t)
	if err != nil {
		return nil, err
	}
	digest := sha256.Sum256([]byte(t.Input))
	return func() error {
		_, err := id.key.Sign(rand.Reader, digest[:], crypto.SHA256)
		return err
	}, nil
}
