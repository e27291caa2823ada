package api

import (
	"crypto/x509"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"trien/ledger"
	"trien/vault/bundle"
)

type verifyView struct {
	Browser *verifier       // nil: files are judged by the server only
	Verdict *bundle.Verdict // of a file that was sent; nil: none was
	MaxSize int64           // of a file that is sent

	// What is believed, unless a judge in the browser brings something else.
	Anchors    []*x509.Certificate
	AnchorsPEM string
	Origin     string
	Policy     string
}

func (s *Server) verifyPage(c *gin.Context, v *visit) error { return s.showVerify(c, v, nil) }

// verifyForm shows the verdict; the page's script takes it out of this same page.
func (s *Server) verifyForm(c *gin.Context, v *visit) error {
	verdict, err := s.judgeUpload(c)
	if err != nil {
		return err
	}
	return s.showVerify(c, v, verdict)
}

func (s *Server) showVerify(c *gin.Context, v *visit, verdict *bundle.Verdict) error {
	anchors, policy := s.vault.Anchors(), s.vault.Policy()
	if s.verifier != nil {
		c.Header("Content-Security-Policy", verifyPolicy)
	}
	return s.show(c, v, http.StatusOK, "verify", pageData{View: verifyView{
		Browser: s.verifier, Verdict: verdict, MaxSize: s.limits.VerifySize,
		Anchors: anchors.Certificates(), AnchorsPEM: string(anchors.PEM()), Origin: policy.Origin(), Policy: string(policy.Text()),
	}})
}

// fingerprint of a certificate, as other programs show it too.
func fingerprint(c *x509.Certificate) string { return ledger.SumHash(c.Raw).String() }

// textsJSON gives a script the texts whose keys begin so.
func textsJSON(l language, prefixes []string) (string, error) {
	texts := map[string]string{}
	for key := range verifyWords {
		for _, p := range prefixes {
			if strings.HasPrefix(key, p) {
				texts[key] = say(l, key)
			}
		}
	}
	b, err := json.Marshal(texts)
	if err != nil {
		return "", fmt.Errorf("encoding texts: %w", err)
	}
	return string(b), nil
}
