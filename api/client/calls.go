package client

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"net/url"
	"strconv"

	"trien/api/wire"
)

// SignIn opens a session by a password; the client acts under it from now on.
func (c *Client) SignIn(ctx context.Context, login, password string) (wire.Session, error) {
	return c.SignInWithCode(ctx, login, password, "")
}

// SignInWithCode opens a session by a password and a code of the second factor, or a recovery code.
func (c *Client) SignInWithCode(ctx context.Context, login, password, code string) (wire.Session, error) {
	var s wire.Session
	if err := c.call(ctx, http.MethodPost, "/sessions", nil, wire.SignIn{Login: login, Password: password, Code: code}, &s); err != nil {
		return wire.Session{}, err
	}
	c.SetToken(s.Token)
	return s, nil
}

// SignOut ends the session.
func (c *Client) SignOut(ctx context.Context) error {
	if err := c.call(ctx, http.MethodDelete, "/sessions/current", nil, nil, nil); err != nil {
		return err
	}
	c.SetToken("")
	return nil
}

// Me says who is signed in.
func (c *Client) Me(ctx context.Context) (wire.Me, error) {
	var m wire.Me
	err := c.call(ctx, http.MethodGet, "/me", nil, nil, &m)
	return m, err
}

// SecondFactor tells of one's own second factor.
func (c *Client) SecondFactor(ctx context.Context) (wire.SecondFactor, error) {
	var f wire.SecondFactor
	err := c.call(ctx, http.MethodGet, "/me/second-factor", nil, nil, &f)
	return f, err
}

// BeginSecondFactor makes a secret, which is shown once.
func (c *Client) BeginSecondFactor(ctx context.Context) (wire.FactorSecret, error) {
	var f wire.FactorSecret
	err := c.call(ctx, http.MethodPost, "/me/second-factor", nil, nil, &f)
	return f, err
}

// ConfirmSecondFactor makes it count, by a code of it. The recovery codes are shown once.
func (c *Client) ConfirmSecondFactor(ctx context.Context, code string) ([]string, error) {
	var r wire.RecoveryCodes
	err := c.call(ctx, http.MethodPost, "/me/second-factor/confirmation", nil, wire.FactorCode{Code: code}, &r)
	return r.RecoveryCodes, err
}

// RemoveSecondFactor takes it away by a code of it or a recovery code, and ends all sessions of the account.
func (c *Client) RemoveSecondFactor(ctx context.Context, code string) error {
	return c.call(ctx, http.MethodPost, "/me/second-factor/removal", nil, wire.FactorCode{Code: code}, nil)
}

// Units lists the organisations.
func (c *Client) Units(ctx context.Context) ([]wire.Unit, error) {
	l, err := list[wire.Unit](ctx, c, "/units", nil)
	return l.Items, err
}

// CreateUnit makes an organisation.
func (c *Client) CreateUnit(ctx context.Context, name string) (wire.Unit, error) {
	var u wire.Unit
	err := c.call(ctx, http.MethodPost, "/units", nil, wire.NewUnit{Name: name}, &u)
	return u, err
}

// Accounts lists who may sign in.
func (c *Client) Accounts(ctx context.Context) ([]wire.Account, error) {
	l, err := list[wire.Account](ctx, c, "/accounts", nil)
	return l.Items, err
}

// CreateAccount makes an account.
func (c *Client) CreateAccount(ctx context.Context, n wire.NewAccount) (wire.Account, error) {
	var a wire.Account
	err := c.call(ctx, http.MethodPost, "/accounts", nil, n, &a)
	return a, err
}

// SetCertificate binds the certificate (DER) whose key signs for an account.
func (c *Client) SetCertificate(ctx context.Context, account string, der []byte) error {
	return c.call(ctx, http.MethodPut, "/accounts/"+url.PathEscape(account)+"/certificate", nil, wire.Certificate{Certificate: der}, nil)
}

// SetDeliveryCertificate binds the certificate (DER) that exports may be enclosed for to an account.
func (c *Client) SetDeliveryCertificate(ctx context.Context, account string, der []byte) error {
	return c.call(ctx, http.MethodPut, "/accounts/"+url.PathEscape(account)+"/delivery-certificate", nil, wire.Certificate{Certificate: der}, nil)
}

// SetSignaturePicture sets the picture (PNG) that the signatures of an account show.
func (c *Client) SetSignaturePicture(ctx context.Context, account string, png []byte) error {
	path := "/accounts/" + url.PathEscape(account) + "/signature-picture"
	return c.send(ctx, http.MethodPut, path, "image/png", bytes.NewReader(png), int64(len(png)), nil)
}

// RemoveSignaturePicture takes that picture away.
func (c *Client) RemoveSignaturePicture(ctx context.Context, account string) error {
	return c.call(ctx, http.MethodDelete, "/accounts/"+url.PathEscape(account)+"/signature-picture", nil, nil, nil)
}

// Officials lists who can sign in the actor's unit.
func (c *Client) Officials(ctx context.Context) ([]wire.Official, error) {
	l, err := list[wire.Official](ctx, c, "/officials", nil)
	return l.Items, err
}

// Registers lists the six registers and their kinds of record.
func (c *Client) Registers(ctx context.Context) ([]wire.Register, error) {
	l, err := list[wire.Register](ctx, c, "/registers", nil)
	return l.Items, err
}

// DossierQuery selects dossiers: part of a name, the page after a dossier, how many.
type DossierQuery struct {
	Name  string
	After string
	Limit int
}

// Dossiers lists a page of the unit's dossiers, newest first.
func (c *Client) Dossiers(ctx context.Context, q DossierQuery) (wire.List[wire.Dossier], error) {
	v := url.Values{}
	set(v, "q", q.Name)
	set(v, "after", q.After)
	setLimit(v, q.Limit)
	return list[wire.Dossier](ctx, c, "/dossiers", v)
}

// OpenDossier starts a dossier.
func (c *Client) OpenDossier(ctx context.Context, n wire.NewDossier) (wire.Dossier, error) {
	var d wire.Dossier
	err := c.call(ctx, http.MethodPost, "/dossiers", nil, n, &d)
	return d, err
}

// Dossier reads a dossier with its records, versions and exports.
func (c *Client) Dossier(ctx context.Context, id string) (wire.DossierView, error) {
	var d wire.DossierView
	err := c.call(ctx, http.MethodGet, "/dossiers/"+url.PathEscape(id), nil, nil, &d)
	return d, err
}

// Version reads a version's metadata.
func (c *Client) Version(ctx context.Context, id string) (wire.Version, error) {
	var v wire.Version
	err := c.call(ctx, http.MethodGet, "/versions/"+url.PathEscape(id), nil, nil, &v)
	return v, err
}

// Receipt reads the proof of a version; with wait the server answers when it has it. Code "not_logged" if it is not there yet.
func (c *Client) Receipt(ctx context.Context, version string, wait bool) (wire.Proof, error) {
	v := url.Values{}
	if wait {
		v.Set("wait", "true")
	}
	var p wire.Proof
	err := c.call(ctx, http.MethodGet, "/versions/"+url.PathEscape(version)+"/receipt", v, nil, &p)
	return p, err
}

// Submit asks an official (empty: the actor) to approve a version.
func (c *Client) Submit(ctx context.Context, version, signer, reason string) (wire.Job, error) {
	var j wire.Job
	err := c.call(ctx, http.MethodPost, "/versions/"+url.PathEscape(version)+"/submissions", nil, wire.Submission{Signer: signer, Reason: reason}, &j)
	return j, err
}

// SubmitAll asks an official (empty: the actor) to approve up to 500 versions. What could not be submitted comes with its problem, in
// the order given. It may be sent again: what waits already keeps its job.
func (c *Client) SubmitAll(ctx context.Context, versions []string, signer, reason string) ([]wire.Submitted, error) {
	var l wire.List[wire.Submitted]
	err := c.call(ctx, http.MethodPost, "/submissions", nil, wire.Submissions{Versions: versions, Signer: signer, Reason: reason}, &l)
	return l.Items, err
}

// ExportDossier builds the export of a dossier and asks its signer to sign it.
func (c *Client) ExportDossier(ctx context.Context, dossier string, n wire.NewExport) (wire.Exported, error) {
	var x wire.Exported
	err := c.call(ctx, http.MethodPost, "/dossiers/"+url.PathEscape(dossier)+"/exports", nil, n, &x)
	return x, err
}

// Exports lists the signed exports of which the actor is recipient.
func (c *Client) Exports(ctx context.Context) ([]wire.Export, error) {
	l, err := list[wire.Export](ctx, c, "/exports", nil)
	return l.Items, err
}

// Export reads the state of an export.
func (c *Client) Export(ctx context.Context, id string) (wire.Export, error) {
	var x wire.Export
	err := c.call(ctx, http.MethodGet, "/exports/"+url.PathEscape(id), nil, nil, &x)
	return x, err
}

// Jobs lists the actor's waiting signing jobs, oldest first.
func (c *Client) Jobs(ctx context.Context) ([]wire.Job, error) {
	l, err := list[wire.Job](ctx, c, "/signing-jobs", nil)
	return l.Items, err
}

// Job reads a signing job.
func (c *Client) Job(ctx context.Context, id string) (wire.Job, error) {
	var j wire.Job
	err := c.call(ctx, http.MethodGet, "/signing-jobs/"+url.PathEscape(id), nil, nil, &j)
	return j, err
}

// WithdrawJob ends a waiting job without a signature.
func (c *Client) WithdrawJob(ctx context.Context, id string) error {
	return c.call(ctx, http.MethodDelete, "/signing-jobs/"+url.PathEscape(id), nil, nil, nil)
}

// PostSignature fulfils a job.
func (c *Client) PostSignature(ctx context.Context, job string, s wire.Signature) (wire.Fulfilled, error) {
	var f wire.Fulfilled
	err := c.call(ctx, http.MethodPost, "/signing-jobs/"+url.PathEscape(job)+"/signature", nil, s, &f)
	return f, err
}

// PutSignedDocument fulfils a job with a file that another program signed.
func (c *Client) PutSignedDocument(ctx context.Context, job string, r io.ReaderAt, size int64) (wire.Fulfilled, error) {
	var f wire.Fulfilled
	err := c.send(ctx, http.MethodPut, "/signing-jobs/"+url.PathEscape(job)+"/signed-document", mediaPDF, r, size, &f)
	return f, err
}

// Checkpoint reads the ledger's latest signed checkpoint.
func (c *Client) Checkpoint(ctx context.Context) ([]byte, error) {
	return c.text(ctx, "/ledger/checkpoint")
}

// Policy reads the ledger's policy text, as the server gives it. Who verifies should have it from elsewhere.
func (c *Client) Policy(ctx context.Context) ([]byte, error) { return c.text(ctx, "/ledger/policy") }

// Anchors reads the trust anchors in PEM, as the server gives them. Who verifies should have them from elsewhere.
func (c *Client) Anchors(ctx context.Context) ([]byte, error) { return c.text(ctx, "/anchors") }

// Consistency reads the proof that the tree of size newer holds the one of size older.
func (c *Client) Consistency(ctx context.Context, older, newer uint64) (wire.Consistency, error) {
	v := url.Values{"older": {strconv.FormatUint(older, 10)}, "newer": {strconv.FormatUint(newer, 10)}}
	var p wire.Consistency
	err := c.call(ctx, http.MethodGet, "/ledger/consistency", v, nil, &p)
	return p, err
}

// EventQuery selects events: of a dossier (empty: all), the page after an event, how many.
type EventQuery struct {
	Dossier string
	After   string
	Limit   int
}

// AccessRecord lists a page of events, newest first.
func (c *Client) AccessRecord(ctx context.Context, q EventQuery) (wire.List[wire.Event], error) {
	v := url.Values{}
	set(v, "dossier", q.Dossier)
	set(v, "after", q.After)
	setLimit(v, q.Limit)
	return list[wire.Event](ctx, c, "/access-record", v)
}

// EventProof reads the proof of an event. Code "not_logged" if it is not there yet.
func (c *Client) EventProof(ctx context.Context, event string) (wire.EventProof, error) {
	var p wire.EventProof
	err := c.call(ctx, http.MethodGet, "/access-record/"+url.PathEscape(event)+"/proof", nil, nil, &p)
	return p, err
}

// OwnDossiers lists the dossiers about the person who is signed in, and what each register shows of its access record.
func (c *Client) OwnDossiers(ctx context.Context) (wire.OwnDossiers, error) {
	var d wire.OwnDossiers
	err := c.call(ctx, http.MethodGet, "/my-dossiers", nil, nil, &d)
	return d, err
}

// OwnAccessRecord lists a page of who read one's own dossier q.Dossier, newest first.
func (c *Client) OwnAccessRecord(ctx context.Context, q EventQuery) (wire.List[wire.OwnEvent], error) {
	v := url.Values{}
	set(v, "after", q.After)
	setLimit(v, q.Limit)
	return list[wire.OwnEvent](ctx, c, "/my-dossiers/"+url.PathEscape(q.Dossier)+"/access-record", v)
}

// Verify lets the server judge a PDF; nobody need be signed in. It is not sent again after a lost connection.
func (c *Client) Verify(ctx context.Context, r io.ReaderAt, size int64) (wire.Verdict, error) {
	var v wire.Verdict
	err := c.send(ctx, http.MethodPost, "/verify", mediaPDF, r, size, &v)
	return v, err
}

const mediaPDF = "application/pdf"

// send sends a file as the body, once, and reads a JSON answer; none into nil.
func (c *Client) send(ctx context.Context, method, path, media string, r io.ReaderAt, size int64, out any) error {
	req, err := c.newRequest(ctx, method, path, nil, io.NewSectionReader(r, 0, size))
	if err != nil {
		return err
	}
	req.ContentLength = size
	req.Header.Set("Content-Type", media)
	req.Header.Set("Expect", "100-continue")
	resp, err := c.do(req)
	if err != nil {
		return err
	}
	defer closeQuietly(resp.Body)
	if out == nil {
		return nil
	}
	return c.decode(ctx, resp.Body, out)
}

func (c *Client) text(ctx context.Context, path string) ([]byte, error) {
	var text []byte
	err := c.retry(ctx, 3, retryGet, func() error {
		req, err := c.newRequest(ctx, http.MethodGet, path, nil, nil)
		if err != nil {
			return err
		}
		resp, err := c.do(req)
		if err != nil {
			return err
		}
		defer closeQuietly(resp.Body)
		if text, err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer)); err != nil {
			return c.connectionError(ctx, err)
		}
		return nil
	})
	return text, err
}

func set(v url.Values, key, value string) {
	if value != "" {
		v.Set(key, value)
	}
}

func setLimit(v url.Values, limit int) {
	if limit > 0 {
		v.Set("limit", strconv.Itoa(limit))
	}
}
