package api

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"net/http"
	"net/url"

	"github.com/gin-gonic/gin"

	"trien/certs"
	"trien/vault"
	"trien/vault/envelope"
)

type accountView struct {
	Account               vault.Account
	Certificate, Delivery *x509.Certificate // nil: none
	Pictured              bool
}

func (s *Server) accountPage(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return err
	}
	return s.showAccount(c, v, a, id, http.StatusOK, pageData{Notice: notice(c, v)})
}

func (s *Server) showAccount(c *gin.Context, v *visit, a vault.Actor, id vault.AccountID, status int, d pageData) error {
	var view accountView
	var err error
	if view.Account, err = s.vault.Account(c.Request.Context(), a, id); err != nil {
		return err
	}
	if view.Pictured, err = s.vault.HasSignaturePicture(c.Request.Context(), a, id); err != nil {
		return err
	}
	// What does not parse was never bound.
	view.Certificate, _ = x509.ParseCertificate(view.Account.Certificate)
	view.Delivery, _ = x509.ParseCertificate(view.Account.DeliveryCertificate)
	d.View = view
	return s.show(c, v, status, "account", d)
}

// maxCertificate is the size in bytes of a file that can be a certificate with its chain.
const maxCertificate = 64 << 10

func (s *Server) certificateForm(c *gin.Context, v *visit, a vault.Actor) error {
	return s.bindForm(c, v, a, maxCertificate, func(ctx context.Context, id vault.AccountID, file []byte) error {
		return s.vault.SetCertificate(ctx, a, id, certificateIn(file))
	})
}

func (s *Server) deliveryCertificateForm(c *gin.Context, v *visit, a vault.Actor) error {
	return s.bindForm(c, v, a, maxCertificate, func(ctx context.Context, id vault.AccountID, file []byte) error {
		return s.vault.SetDeliveryCertificate(ctx, a, id, certificateIn(file))
	})
}

// certificateIn is the DER of the first certificate of a PEM file, or else the file, which the vault judges.
func certificateIn(file []byte) []byte {
	if list, err := certs.ParseCertificates(file); err == nil && len(list) > 0 {
		return list[0].Raw
	}
	return file
}

func (s *Server) pictureForm(c *gin.Context, v *visit, a vault.Actor) error {
	return s.bindForm(c, v, a, vault.MaxPicture, func(ctx context.Context, id vault.AccountID, file []byte) error {
		return s.vault.SetSignaturePicture(ctx, a, id, file)
	})
}

func (s *Server) pictureRemovalForm(c *gin.Context, _ *visit, a vault.Actor, _ url.Values) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return err
	}
	if err := s.vault.SetSignaturePicture(c.Request.Context(), a, id, nil); err != nil {
		return err
	}
	c.Redirect(http.StatusSeeOther, "/accounts/"+id.String()+"?done=removed")
	return nil
}

// bindForm takes the small file of a form and has set bind it to the account; what people can put right is shown above the account.
func (s *Server) bindForm(c *gin.Context, v *visit, a vault.Actor, most int64, set func(context.Context, vault.AccountID, []byte) error) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return s.refuseBody(c, err)
	}
	file, err := s.smallFile(c, v, most)
	if err != nil {
		return s.refuseBody(c, err)
	}
	err = set(c.Request.Context(), id, file)
	if k, _ := kindOf(err); err != nil && (k.status >= http.StatusInternalServerError || !errors.Is(err, vault.ErrInvalid)) {
		return err
	}
	if err != nil {
		k := s.judge(c, err)
		return s.showAccount(c, v, a, id, k.status, pageData{Problem: problemView(v.lang, k, fieldOf(err), c)})
	}
	c.Redirect(http.StatusSeeOther, "/accounts/"+id.String()+"?done=bound")
	return nil
}

// smallFile reads the file of a form whose token is right into memory.
func (s *Server) smallFile(c *gin.Context, v *visit, most int64) ([]byte, error) {
	file, err := v.fileOf(c.GetHeader("Content-Type"), s.body(c, most+maxForm))
	if err != nil {
		return nil, err
	}
	var b bytes.Buffer
	n, err := io.Copy(&b, io.LimitReader(file, most+1))
	switch {
	case err != nil:
		return nil, err
	case n > most:
		return nil, errBodyTooLarge
	case n == 0: // no file is no wish to remove what is there
		return nil, vault.ErrEmpty
	}
	return b.Bytes(), nil
}

// fileOf finds the file of a form, which brings its token before it.
func (v *visit) fileOf(contentType string, body io.Reader) (io.Reader, error) {
	form, err := newForm(contentType, body)
	if err != nil {
		return nil, err
	}
	f, file, err := form.read([]string{csrfField})
	if err != nil {
		return nil, err
	}
	if !v.owns(f[csrfField]) {
		return nil, errForgery
	}
	return file, nil
}

// signedFileForm is putSignedDocument for a form; its script asks for JSON and is told where to go next.
func (s *Server) signedFileForm(c *gin.Context, v *visit, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return s.refuseBody(c, err)
	}
	if _, err := s.vault.Job(c.Request.Context(), a, id); err != nil {
		return s.refuseBody(c, err)
	}
	err = s.spooled(c, s.vault.MaxSize()+signedRoom, v.fileOf, func(r *envelope.Reader) error {
		_, err := s.vault.FulfilByFile(c.Request.Context(), a, id, r, r.Size())
		return err
	})
	if err != nil {
		return err
	}
	const next = "/signing-jobs?done=signed"
	if wantsJSON(c) {
		return s.writeJSON(c, http.StatusOK, map[string]string{"location": next})
	}
	c.Redirect(http.StatusSeeOther, next)
	return nil
}
