package token

import (
	"crypto/x509"
	"fmt"

	"github.com/miekg/pkcs11"
)

// Certificates returns the certificates that a token shows without login: they are public objects as a rule. Some tokens hide them all the
// same, so that one which is missing proves nothing. Errors wrap ErrFailed or ErrNoToken.
func Certificates(module string, of Info) ([]*x509.Certificate, error) {
	var out []*x509.Certificate
	found := false
	err := eachToken(module, func(p *pkcs11.Ctx, i Info) (err error) {
		if i.Label == of.Label && i.Serial == of.Serial {
			found = true
			var objects []object
			objects, err = certificatesOn(p, i.slot)
			for _, o := range objects {
				out = append(out, o.cert)
			}
		}
		return err
	})
	if err == nil && !found {
		err = fmt.Errorf("reading certificates: %w", ErrNoToken)
	}
	return out, err
}

// eachToken visits the initialised tokens of a module.
func eachToken(module string, visit func(p *pkcs11.Ctx, i Info) error) error {
	modules.Lock()
	defer modules.Unlock()
	return withModule(module, func(p *pkcs11.Ctx) error {
		infos, err := tokens(p)
		if err != nil {
			return err
		}
		for _, i := range infos {
			if err := visit(p, i); err != nil {
				return err
			}
		}
		return nil
	})
}
