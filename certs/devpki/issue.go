package devpki

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/rand"
	"crypto/rsa"
	"crypto/sha256"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/asn1"
	"fmt"
	"io"
	"math/big"
	"net"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// Mark stands in the subject of every certificate issued here.
const Mark = "THỬ NGHIỆM – KHÔNG CÓ GIÁ TRỊ (test, not valid)"

// notice is the text of the policy in every certificate issued here (RFC 5280 §4.2.1.4: at most 200 characters).
const notice = "Chứng thư thử nghiệm, không có giá trị pháp lý. Test certificate: it proves nothing and must not be relied on."

const (
	caLifetime   = 10 // years
	leafLifetime = 365 * 24 * time.Hour
	// Certificates with a past of their own can be issued for tests of expiry: their issuers must have existed then.
	caPast = 60 * 24 * time.Hour
)

var (
	oidPolicy       = asn1.ObjectIdentifier{2, 999, 1, 1}
	oidUserNotice   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 2, 2}
	oidPolicies     = asn1.ObjectIdentifier{2, 5, 29, 32}
	oidExtKeyUsage  = asn1.ObjectIdentifier{2, 5, 29, 37}
	oidTimeStamping = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 8}
	oidDocSigning   = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 3, 36}
	oidFreshest     = asn1.ObjectIdentifier{2, 5, 29, 46}
	oidNoCheck      = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 48, 1, 5}
	attrs           = struct{ cn, serial, country, org, unit, title asn1.ObjectIdentifier }{
		cn: asn1.ObjectIdentifier{2, 5, 4, 3}, serial: asn1.ObjectIdentifier{2, 5, 4, 5}, country: asn1.ObjectIdentifier{2, 5, 4, 6},
		org: asn1.ObjectIdentifier{2, 5, 4, 10}, unit: asn1.ObjectIdentifier{2, 5, 4, 11}, title: asn1.ObjectIdentifier{2, 5, 4, 12},
	}
)

// Statements about a certificate (RFC 3739 §3.2.6).
var (
	oidQCStatements  = asn1.ObjectIdentifier{1, 3, 6, 1, 5, 5, 7, 1, 3}
	oidQCType        = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6}
	oidTypeSignature = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 1}
	oidTypeSeal      = asn1.ObjectIdentifier{0, 4, 0, 1862, 1, 6, 2}
)

type qcStatement struct {
	ID   asn1.ObjectIdentifier
	Info []asn1.ObjectIdentifier
}

// Subject of a certificate to issue.
type Subject struct {
	CommonName, Organisation, Unit, Title, SerialNumber string
	DNSNames                                            []string      // server certificates only
	Loopback                                            bool          // server certificate for 127.0.0.1, ::1 and localhost
	Untyped                                             bool          // signing certificates only: do not state whose they are, as many issuers
	Lifetime                                            time.Duration // 0: one year
	NotBefore                                           time.Time     // zero: an hour ago
	Places                                              Places        // where to ask about the certificate
}

// Places are what a certificate says on where to ask about it. The zero value: OCSP, the complete list and the issuer's certificate.
type Places struct {
	NoOCSP, NoCRL, NoIssuer bool
	Delta                   bool // also the delta list
}

// IssuePerson issues a document signing certificate for an official. Errors wrap ErrSubject or ErrState.
func (a *Authority) IssuePerson(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	return a.issueSigning(s, pub, oidTypeSignature)
}

// IssueSeal issues a document signing certificate for an organisation: its name is the common name.
func (a *Authority) IssueSeal(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	return a.issueSigning(s, pub, oidTypeSeal)
}

// issueSigning states whose signature the certificate is for (EN 319 412-5, QcType), so that a seal is told from a person
// without guessing by names. It claims no qualified status.
func (a *Authority) issueSigning(s Subject, pub crypto.PublicKey, holder asn1.ObjectIdentifier) (*x509.Certificate, error) {
	t, err := a.leaf(s, pub)
	if err != nil {
		return nil, err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	t.UnknownExtKeyUsage = []asn1.ObjectIdentifier{oidDocSigning}
	if s.Untyped {
		return a.sign(t, pub, a.id.issuer)
	}
	statements, err := asn1.Marshal([]qcStatement{{ID: oidQCType, Info: []asn1.ObjectIdentifier{holder}}})
	if err != nil {
		return nil, fmt.Errorf("encoding the type of holder: %w", err)
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidQCStatements, Value: statements})
	return a.sign(t, pub, a.id.issuer)
}

// IssueRecipient issues a certificate to encrypt to: an RSA key for keyEncipherment. One with an EC key is for keyAgreement, which deliveries refuse.
func (a *Authority) IssueRecipient(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	t, err := a.leaf(s, pub)
	if err != nil {
		return nil, err
	}
	t.KeyUsage = x509.KeyUsageKeyEncipherment
	if _, ok := pub.(*rsa.PublicKey); !ok {
		t.KeyUsage = x509.KeyUsageKeyAgreement
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageEmailProtection}
	return a.sign(t, pub, a.id.issuer)
}

// IssueDevice issues a TLS client certificate for an enrolled device.
func (a *Authority) IssueDevice(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	t, err := a.leaf(s, pub)
	if err != nil {
		return nil, err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageClientAuth}
	return a.sign(t, pub, a.id.issuer)
}

// IssueServer issues a TLS server certificate for DNSNames, or for this machine alone if Loopback is set.
func (a *Authority) IssueServer(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	t, err := a.leaf(s, pub)
	if err != nil {
		return nil, err
	}
	if len(s.DNSNames) == 0 && !s.Loopback {
		return nil, fmt.Errorf("%w: a server certificate needs a name", ErrSubject)
	}
	t.DNSNames = append(t.DNSNames, s.DNSNames...)
	if s.Loopback {
		t.DNSNames = append(t.DNSNames, "localhost")
		t.IPAddresses = []net.IP{net.IPv4(127, 0, 0, 1), net.IPv6loopback}
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	if _, ok := pub.(*rsa.PublicKey); ok {
		t.KeyUsage |= x509.KeyUsageKeyEncipherment
	}
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageServerAuth}
	return a.sign(t, pub, a.id.issuer)
}

// leaf is what all end users' certificates have in common.
func (a *Authority) leaf(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	if s.CommonName == "" {
		return nil, fmt.Errorf("%w: no common name", ErrSubject)
	}
	if err := checkKey(pub); err != nil {
		return nil, err
	}
	name, err := subjectName(s)
	if err != nil {
		return nil, err
	}
	from := s.NotBefore
	if from.IsZero() {
		from = a.now().Add(-time.Hour)
	}
	life := s.Lifetime
	if life == 0 {
		life = leafLifetime
	}
	until := from.Add(life)
	if end := a.id.issuer.cert.NotAfter; until.After(end) {
		until = end
	}
	t := &x509.Certificate{RawSubject: name, NotBefore: from, NotAfter: until, BasicConstraintsValid: true}
	return t, a.addPlaces(t, s.Places)
}

func (a *Authority) addPlaces(t *x509.Certificate, p Places) error {
	if !p.NoOCSP {
		t.OCSPServer = []string{a.URL() + pathOCSP}
	}
	if !p.NoCRL {
		t.CRLDistributionPoints = []string{a.URL() + pathIssuerCRL}
	}
	if !p.NoIssuer {
		t.IssuingCertificateURL = []string{a.URL() + pathIssuerCert}
	}
	if !p.Delta {
		return nil
	}
	points, err := distributionPoint(a.URL() + pathDelta)
	if err != nil {
		return err
	}
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidFreshest, Value: points})
	return nil
}

// distributionPoint is a CRLDistributionPoints with one URL (RFC 5280 §4.2.1.13).
func distributionPoint(u string) ([]byte, error) {
	explicit := der.Tag(0).ContextSpecific().Constructed()
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1(explicit, func(b *cryptobyte.Builder) {
				b.AddASN1(explicit, func(b *cryptobyte.Builder) {
					b.AddASN1(der.Tag(6).ContextSpecific(), func(b *cryptobyte.Builder) { b.AddBytes([]byte(u)) })
				})
			})
		})
	})
	out, err := b.Bytes()
	if err != nil {
		return nil, fmt.Errorf("encoding distribution point: %w", err)
	}
	return out, nil
}

// issueOwn issues the root's, the CA's, the responder's and the TSA's certificates.
func (a *Authority) issueOwn() error {
	now := a.now()
	ca := func(name string) (*x509.Certificate, error) {
		raw, err := subjectName(Subject{CommonName: name})
		return &x509.Certificate{
			RawSubject: raw, NotBefore: now.Add(-caPast), NotAfter: now.AddDate(caLifetime, 0, 0),
			BasicConstraintsValid: true, IsCA: true, KeyUsage: x509.KeyUsageCertSign | x509.KeyUsageCRLSign,
		}, err
	}
	root, err := ca("Triện Test Root CA (not valid)")
	if err != nil {
		return err
	}
	root.MaxPathLen = 1
	if a.id.root.cert, err = a.sign(root, a.id.root.key.Public(), member{key: a.id.root.key}); err != nil {
		return err
	}
	issuer, err := ca("Triện Test Issuing CA (not valid)")
	if err != nil {
		return err
	}
	issuer.MaxPathLenZero = true
	issuer.CRLDistributionPoints = []string{a.URL() + pathRootCRL}
	issuer.IssuingCertificateURL = []string{a.URL() + pathRootCert}
	if a.id.issuer.cert, err = a.sign(issuer, a.id.issuer.key.Public(), a.id.root); err != nil {
		return err
	}
	return a.issueServices(now)
}

func (a *Authority) issueServices(now time.Time) error {
	s := Subject{
		CommonName: "Triện Test OCSP Responder (not valid)", NotBefore: now.Add(-caPast), Lifetime: (caLifetime + 1) * 366 * 24 * time.Hour,
		Places: Places{NoOCSP: true},
	}
	t, err := a.leaf(s, a.id.ocsp.key.Public())
	if err != nil {
		return err
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature
	t.ExtKeyUsage = []x509.ExtKeyUsage{x509.ExtKeyUsageOCSPSigning}
	t.ExtraExtensions = []pkix.Extension{{Id: oidNoCheck, Value: asn1.NullBytes}}
	if a.id.ocsp.cert, err = a.sign(t, a.id.ocsp.key.Public(), a.id.issuer); err != nil {
		return err
	}
	s.Places = Places{}
	a.id.tsa.cert, err = a.issueTSA(s, a.id.tsa.key.Public())
	return err
}

func (a *Authority) issueTSA(s Subject, pub crypto.PublicKey) (*x509.Certificate, error) {
	s.CommonName = "Triện Test Time-Stamp Authority (not valid)"
	t, err := a.leaf(s, pub)
	if err != nil {
		return nil, err
	}
	// RFC 3161 §2.3 asks that the usage be critical, which crypto/x509 does not write.
	eku, err := asn1.Marshal([]asn1.ObjectIdentifier{oidTimeStamping})
	if err != nil {
		return nil, fmt.Errorf("encoding key usage: %w", err)
	}
	t.KeyUsage = x509.KeyUsageDigitalSignature | x509.KeyUsageContentCommitment
	t.ExtraExtensions = append(t.ExtraExtensions, pkix.Extension{Id: oidExtKeyUsage, Critical: true, Value: eku})
	return a.sign(t, pub, a.id.issuer)
}

// sign completes the template with serial number, key id and the mark, signs it, and records it before anyone can see it.
func (a *Authority) sign(t *x509.Certificate, pub crypto.PublicKey, by member) (*x509.Certificate, error) {
	serial := make([]byte, 16)
	if _, err := rand.Read(serial); err != nil {
		return nil, fmt.Errorf("drawing serial number: %w", err)
	}
	serial[0] = serial[0]&0x7f | 0x40 // positive, and of constant length
	t.SerialNumber = new(big.Int).SetBytes(serial)
	spki, err := x509.MarshalPKIXPublicKey(pub)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSubject, err)
	}
	id := sha256.Sum256(spki)
	t.SubjectKeyId = id[:20]
	policy, err := policyExtension()
	if err != nil {
		return nil, err
	}
	t.ExtraExtensions = append(t.ExtraExtensions, policy)
	parent := by.cert
	if parent == nil {
		parent = t
	}
	raw, err := x509.CreateCertificate(rand.Reader, t, parent, pub, lowS{by.key})
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSubject, err)
	}
	c, err := x509.ParseCertificate(raw)
	if err != nil {
		return nil, fmt.Errorf("reading own certificate: %w", err)
	}
	return c, a.store.addIssued(serialText(c.SerialNumber), c)
}

// subjectName writes one attribute per RDN, in the order authorities in Viet Nam use. The mark is always there.
func subjectName(s Subject) ([]byte, error) {
	var name pkix.RDNSequence
	add := func(oid asn1.ObjectIdentifier, v string) {
		if v != "" {
			name = append(name, pkix.RelativeDistinguishedNameSET{{Type: oid, Value: v}})
		}
	}
	add(attrs.country, "VN")
	add(attrs.org, Mark)
	add(attrs.org, s.Organisation)
	add(attrs.unit, s.Unit)
	add(attrs.title, s.Title)
	add(attrs.cn, s.CommonName)
	add(attrs.serial, s.SerialNumber)
	raw, err := asn1.Marshal(name)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSubject, err)
	}
	return raw, nil
}

// policyExtension is a certificate policy with a user notice that the certificate proves nothing.
func policyExtension() (pkix.Extension, error) {
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
			b.AddASN1ObjectIdentifier(oidPolicy)
			b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
				b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
					b.AddASN1ObjectIdentifier(oidUserNotice)
					b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
						b.AddASN1(der.UTF8String, func(b *cryptobyte.Builder) { b.AddBytes([]byte(notice)) })
					})
				})
			})
		})
	})
	value, err := b.Bytes()
	if err != nil {
		return pkix.Extension{}, fmt.Errorf("encoding policy: %w", err)
	}
	return pkix.Extension{Id: oidPolicies, Value: value}, nil
}

// serialText names a serial number in files and maps.
func serialText(n *big.Int) string { return fmt.Sprintf("%x", n) }

// lowS makes ECDSA signatures with the smaller of the two values of s, so that a certificate has exactly one form: nobody
// can change its bytes and keep its signature valid.
type lowS struct{ crypto.Signer }

func (k lowS) Sign(random io.Reader, digest []byte, opts crypto.SignerOpts) ([]byte, error) {
	sig, err := k.Signer.Sign(random, digest, opts)
	pub, ok := k.Public().(*ecdsa.PublicKey)
	if err != nil || !ok {
		return sig, err
	}
	var parts struct{ R, S *big.Int }
	if rest, err := asn1.Unmarshal(sig, &parts); err != nil || len(rest) != 0 {
		return nil, fmt.Errorf("reading own signature: %w", err)
	}
	n := pub.Curve.Params().N
	if half := new(big.Int).Rsh(n, 1); parts.S.Cmp(half) <= 0 {
		return sig, nil
	}
	parts.S.Sub(n, parts.S)
	out, err := asn1.Marshal(parts)
	if err != nil {
		return nil, fmt.Errorf("encoding own signature: %w", err)
	}
	return out, nil
}
