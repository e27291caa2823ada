package wire

import (
	"time"
)

// SignIn asks for a session.
type SignIn struct {
	Login    string `json:"login"`
	Password string `json:"password"`
	Code     string `json:"code,omitempty"` // of the second factor, or a recovery code
}

// Session is a sign-in. Token goes into the Authorization header as a bearer token, and nowhere else.
type Session struct {
	Token   string    `json:"token"`
	Expires time.Time `json:"expires"`
	Me      Me        `json:"me"`
}

// NewDevice enrols a machine of the actor's own.
type NewDevice struct {
	Name      string `json:"name"`
	PublicKey []byte `json:"public_key"` // Ed25519, 32 bytes
}

// Device is a machine that signs in by its own key.
type Device struct {
	ID        string     `json:"id"`
	Account   string     `json:"account"`
	Name      string     `json:"name"`
	PublicKey []byte     `json:"public_key"`
	Enrolled  time.Time  `json:"enrolled"`
	Revoked   *time.Time `json:"revoked,omitempty"`
}

// EnrolledDevice answers an enrolment. The device keeps OfferKey: it takes only offers that this key signed.
type EnrolledDevice struct {
	Device   Device `json:"device"`
	OfferKey []byte `json:"offer_key"` // Ed25519, 32 bytes
}

// DeviceSession asks for a session by a device's key. Signature is over the text "trien/device-session/v1", Device, Time as RFC 3339
// in whole seconds of UTC and Nonce in lower-case hex, each on a line of its own.
type DeviceSession struct {
	Device    string    `json:"device"`
	Time      time.Time `json:"time"`
	Nonce     string    `json:"nonce"` // 32 hex digits, used once
	Signature []byte    `json:"signature"`
}

// Me is who is signed in.
type Me struct {
	Account string `json:"account"`
	Login   string `json:"login"`
	Name    string `json:"name"`
	Unit    string `json:"unit"`
	Role    string `json:"role"`
	// MFA: a second factor opened the session. MustEnrol: the role takes one, and until it opens a session all else is refused.
	MFA       bool `json:"mfa"`
	MustEnrol bool `json:"must_enrol"`
}

// SecondFactor tells of one's own second factor.
type SecondFactor struct {
	Confirmed     *time.Time `json:"confirmed,omitempty"` // absent: there is none that counts
	RecoveryCodes int        `json:"recovery_codes"`      // that are left
}

// FactorSecret is what a program for codes is fed with. It is shown once.
type FactorSecret struct {
	URI    string `json:"uri"`    // otpauth://
	Secret string `json:"secret"` // base32
}

// FactorCode is a code of the second factor.
type FactorCode struct {
	Code string `json:"code"`
}

// RecoveryCodes each serve once in the place of a code. They are shown once.
type RecoveryCodes struct {
	RecoveryCodes []string `json:"recovery_codes"`
}

// Account is one person's access.
type Account struct {
	ID          string `json:"id"`
	Login       string `json:"login"`
	Name        string `json:"name"`
	Post        string `json:"post"`
	Unit        string `json:"unit"`
	Role        string `json:"role"`
	Certificate []byte `json:"certificate,omitempty"` // DER
	// DeliveryCertificate is what exports may be enclosed for; DER.
	DeliveryCertificate []byte    `json:"delivery_certificate,omitempty"`
	Created             time.Time `json:"created"`
	Clearance           string    `json:"clearance"`
	ClearedUntil        time.Time `json:"cleared_until,omitzero"`
}

// NewAccount asks for an account.
type NewAccount struct {
	Login       string `json:"login"`
	Name        string `json:"name"`
	Post        string `json:"post"`
	Password    string `json:"password"`
	Unit        string `json:"unit"`
	Role        string `json:"role"`
	Certificate []byte `json:"certificate,omitempty"` // DER
	// PersonalNumber is of a subject, and of nobody else: whose dossiers the account sees as its own.
	PersonalNumber string `json:"personal_number,omitempty"`
}
