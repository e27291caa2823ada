package main

import (
	"context"
	"crypto/x509"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"os"
	"strconv"
	"strings"

	"trien/api/client"
	"trien/api/wire"
	"trien/signing"
	"trien/signing/token"
)

// sign goes through the chosen jobs. The token is opened for the first one that is confirmed, and its PIN asked once.
func (a *agent) sign(ctx context.Context) error {
	if err := a.checkSignOptions(); err != nil {
		return err
	}
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	jobs, err := a.choose(ctx, s)
	if err != nil || len(jobs) == 0 {
		return err
	}
	if len(jobs) > 1 && a.save != "" && !isFolder(a.save) {
		return usage(textSaveFolder)
	}
	r := &round{agent: a, session: s, total: len(jobs)}
	defer r.close()
	for i, job := range jobs {
		err := r.one(ctx, i+1, job)
		switch {
		case err == nil:
			continue
		case ctx.Err() != nil:
			return ctx.Err()
		}
		r.failed++
		fmt.Fprintln(a.err, a.explain(err))
		if hopeless(err) {
			break
		}
	}
	if len(jobs) > 1 {
		fmt.Fprintln(a.out, a.say.words(showSummary, r.signed, r.skipped, len(jobs)-r.signed-r.skipped))
	}
	if r.failed > 0 {
		return errTold
	}
	return nil
}

func (a *agent) checkSignOptions() error {
	if err := a.recall(); err != nil {
		return err
	}
	switch {
	case len(a.modules) == 0:
		return usage(textNeed, "module")
	case a.job != "" && a.all:
		return usage(textNotBoth, "job", "all")
	case a.pinFile != "" && a.pinStdin:
		return usage(textNotBoth, "pin-file", "pin-stdin")
	case a.open && a.yes:
		return usage(textNotBoth, "open", "yes")
	case a.yes:
		return nil
	case a.pinStdin:
		return usage(textNoTerminal, "yes")
	}
	_, err := a.asker()
	if errors.Is(err, errNobody) {
		return usage(textNoTerminal, "yes")
	}
	return err
}

// choose returns the jobs to go through: the one named, all, or those that the person picks from the list.
func (a *agent) choose(ctx context.Context, s *session) ([]wire.Job, error) {
	jobs, err := s.Jobs(ctx)
	if err != nil {
		return nil, err
	}
	if a.job != "" {
		for _, j := range jobs {
			if j.ID == a.job {
				return []wire.Job{j}, nil
			}
		}
		return nil, refusal(textMissingJob, plain(a.job))
	}
	if len(jobs) == 0 || a.all || len(jobs) == 1 {
		a.overview(s, jobs)
		return jobs, nil
	}
	a.overview(s, jobs)
	if !a.tty.attended {
		return nil, usage(textNoTerminal, "all")
	}
	answer, err := a.tty.line(ctx, a.say.words(askWhich))
	if err != nil || answer == "" {
		return nil, err
	}
	if answer == "tc" || answer == "all" {
		return jobs, nil
	}
	n, err := strconv.Atoi(answer)
	if err != nil || n < 1 || n > len(jobs) {
		return nil, refusal(textNumber, plain(answer))
	}
	return jobs[n-1 : n], nil
}

// hopeless says that the next job would fail likewise.
func hopeless(err error) bool {
	for _, kind := range []error{token.ErrNoToken, token.ErrPIN, token.ErrPINLocked, token.ErrFailed, client.ErrUntrusted, errUsage, context.Canceled} {
		if errors.Is(err, kind) {
			return true
		}
	}
	return client.HasCode(err, "session_expired")
}

// round is one go through the jobs, with one token.
type round struct {
	*agent
	session                 *session
	opened                  *token.Token
	total                   int
	signed, skipped, failed int
	shown                   []string // of the job under way, for whoever is asked in a window
	reading                 *reading // the document under way; nil unless it is to be opened
}

func (r *round) close() {
	r.stopReading()
	if r.opened != nil {
		_ = r.opened.Close() // the process ends
	}
}

// one takes a job through showing, fetching, confirming, signing and sending.
func (r *round) one(ctx context.Context, number int, job wire.Job) error {
	cert, err := r.expected(job)
	if err == nil {
		job, err = r.offered(ctx, job)
	}
	if err != nil {
		r.show(number, job, nil)
		return err
	}
	r.show(number, job, cert)
	digest, err := r.fetch(ctx, job)
	if err != nil {
		return err
	}
	if yes, err := r.agreed(ctx, job); err != nil {
		return err
	} else if !yes {
		r.skipped++
		fmt.Fprintln(r.out, r.say.words(showSkipped))
		return nil
	}
	signature, err := r.signature(ctx, job, digest, cert)
	if err != nil {
		return err
	}
	done, err := r.post(ctx, job, signature)
	if err != nil {
		return err
	}
	r.signed++
	switch {
	case done.Version != nil:
		fmt.Fprintln(r.out, r.say.words(showVersion, plain(done.Version.ID)))
	case done.Export != nil:
		fmt.Fprintln(r.out, r.say.words(showExport, plain(done.Export.ID)))
	default:
		fmt.Fprintln(r.out, r.say.words(showDone))
	}
	return nil
}

// agreed asks the person, who may read the document meanwhile.
func (r *round) agreed(ctx context.Context, job wire.Job) (bool, error) {
	if r.reading != nil {
		defer r.stopReading()
		if err := r.reading.open(ctx, r.viewer); err != nil {
			return false, err
		}
	}
	if r.yes {
		return true, nil
	}
	who, err := r.asker()
	if err != nil {
		return false, err
	}
	return who.confirm(ctx, strings.Join(r.shown, "\n"), r.say.words(askSign))
}

// expected checks what can be checked before anything is fetched, and returns the certificate that must sign.
func (r *round) expected(job wire.Job) (*x509.Certificate, error) {
	now := r.now()
	switch {
	case job.Signer != r.session.me.Account:
		return nil, refusal(textNotYours)
	case job.State != "waiting":
		return nil, refusal(textNotWaiting, plain(job.State))
	case !now.Before(job.Expires):
		return nil, refusal(textExpired, clock(job.Expires))
	}
	cert, err := x509.ParseCertificate(job.Certificate)
	if err != nil {
		return nil, wrapped(err, textCertificate)
	}
	if now.After(cert.NotAfter) {
		return nil, refusal(textCertificateOver, day(cert.NotAfter))
	}
	if now.Before(cert.NotBefore) {
		return nil, refusal(textCertificateFuture, day(cert.NotBefore))
	}
	return cert, nil
}

func (r *round) show(number int, job wire.Job, cert *x509.Certificate) {
	r.shown = nil
	fmt.Fprintf(r.out, "\n%s\n", r.say.words(showJob, number, r.total))
	r.row(showServer, r.session.Server())
	r.row(showTitle, plain(job.Title))
	r.row(showRegister, r.session.register(job.Register))
	r.row(showPurpose, r.purpose(job))
	r.row(showReason, plain(job.Reason))
	if len(job.Roles) > 0 {
		r.row(showRoles, plain(strings.Join(job.Roles, "; ")))
	}
	r.row(showPages, fmt.Sprintf("%d, %s", job.Pages, size(job.Size)))
	r.row(showExpires, clock(job.Expires))
	if cert != nil {
		r.row(showSigner, fmt.Sprintf("%s (%x)", plain(cert.Subject.CommonName), cert.SerialNumber))
	}
}

func (r *round) row(name phrase, value string) {
	label := r.say.words(name)
	if label != "" {
		label += ":"
	}
	r.shown = append(r.shown, label+" "+value)
	fmt.Fprintf(r.out, "  %s%s %s\n", label, strings.Repeat(" ", max(0, 22-len([]rune(label)))), value)
}

// fetch streams the document through the hash (and into a file, if the person wants to read it) and refuses it unless it is what
// the job announced.
func (r *round) fetch(ctx context.Context, job wire.Job) (digest []byte, err error) {
	how := signing.Algorithm(job.Algorithm).Hash()
	h, err := newRangeHash(job.ByteRange, job.Size, how)
	if err != nil {
		return digest, err
	}
	w := io.Writer(h)
	var copied *savedCopy
	if r.save != "" {
		if copied, err = newSavedCopy(r.save, job.ID); err != nil {
			return digest, wrapped(err, textSave)
		}
		defer copied.discard()
		w = io.MultiWriter(h, copied)
	}
	if r.open {
		shown, err := r.toRead()
		if err != nil {
			return digest, err
		}
		defer shown.Close()
		w = io.MultiWriter(w, shown)
	}
	if _, err := r.session.JobDocument(ctx, job.ID, w); err != nil {
		return digest, err
	}
	if digest, err = h.digest(); err != nil {
		return digest, err
	}
	if hex.EncodeToString(digest) != job.Digest {
		return digest, refusal(textTampered)
	}
	r.row(phrase{how.String(), how.String()}, spaced(job.Digest))
	r.row(phrase{}, r.say.words(showChecked))
	if copied != nil {
		if err := copied.keep(); err != nil {
			return digest, wrapped(err, textSave)
		}
		r.row(showSaved, copied.path)
	}
	return digest, nil
}

// toRead opens the place from which the person reads the document, in memory.
func (r *round) toRead() (*os.File, error) {
	r.stopReading() // of a job before that failed
	place, err := newReading()
	if err != nil {
		return nil, err
	}
	r.reading = place
	return os.OpenFile(place.path(), os.O_CREATE|os.O_EXCL|os.O_WRONLY, 0o600)
}

func (r *round) stopReading() {
	if r.reading != nil {
		r.reading.close()
		r.reading = nil
	}
}

// signature signs with the token. One that was pulled out midway is waited for; nothing was sent yet, so nothing is signed twice.
func (r *round) signature(ctx context.Context, job wire.Job, digest []byte, cert *x509.Certificate) (wire.Signature, error) {
	worked := r.opened != nil
	s, err := r.signOnce(ctx, job, digest, cert)
	if err == nil || !worked || !pulled(err) || r.opened == nil || !r.cameBack(ctx, cert) {
		return s, err
	}
	return r.signOnce(ctx, job, digest, cert)
}

// signOnce lets the token sign attributes that are built here, from the digest that was computed here.
func (r *round) signOnce(ctx context.Context, job wire.Job, digest []byte, cert *x509.Certificate) (wire.Signature, error) {
	if r.opened == nil {
		opened, err := r.openToken(ctx, cert)
		if err != nil {
			return wire.Signature{}, err
		}
		r.opened = opened
	}
	identity, err := r.opened.Find(cert)
	if errors.Is(err, token.ErrNoKey) {
		return wire.Signature{}, wrapped(err, textNoKey, fmt.Sprintf("%s, %x", plain(cert.Subject.CommonName), cert.SerialNumber))
	}
	if err != nil {
		return wire.Signature{}, err
	}
	how := signing.Algorithm(job.Algorithm)
	said := signing.Statement{Commitment: signing.Commitment(job.Commitment), Roles: job.Roles}
	attributes, err := signing.SignedAttributes(digest, how, cert, said)
	if err != nil {
		return wire.Signature{}, err
	}
	value, err := signing.SignAttributes(identity.Signer, how, attributes)
	if err != nil {
		return wire.Signature{}, err
	}
	s := wire.Signature{Certificate: cert.Raw, Value: value}
	for _, c := range identity.Chain {
		s.Chain = append(s.Chain, c.Raw)
	}
	return s, nil
}

// post sends the signature. If the connection breaks it asks the server whether the signature arrived, and sends it again if not:
// a job is fulfilled once, so that cannot sign twice.
func (r *round) post(ctx context.Context, job wire.Job, s wire.Signature) (wire.Fulfilled, error) {
	done, err := r.session.PostSignature(ctx, job.ID, s)
	if !errors.Is(err, client.ErrConnection) {
		return done, err
	}
	now, asked := r.session.Job(ctx, job.ID)
	if asked != nil {
		return done, wrapped(err, textUnclear)
	}
	switch now.State {
	case "signed":
		return wire.Fulfilled{}, nil
	case "waiting":
		return r.session.PostSignature(ctx, job.ID, s)
	}
	return done, err
}
