package vault

import (
	"errors"
	"fmt"
)

// Kinds of error. Whatever a use case returns wraps exactly one of them, or is a failure of the machine.
var (
	ErrInvalid         = errors.New("invalid")
	ErrUnauthenticated = errors.New("not signed in")
	ErrForbidden       = errors.New("not allowed")
	ErrNotFound        = errors.New("not found")
	ErrConflict        = errors.New("conflict")
	ErrGone            = errors.New("no longer available")
	ErrTooLarge        = errors.New("too large")
	ErrTampered        = errors.New("integrity check failed")
	ErrUnavailable     = errors.New("temporarily unavailable")
)

// What can be wrong with a deposit.
var (
	ErrEmpty          = fmt.Errorf("%w: the file is empty", ErrInvalid)
	ErrMediaType      = fmt.Errorf("%w: not a PDF, JPEG, PNG, TIFF, XML or JSON file", ErrInvalid)
	ErrEncryptedPDF   = fmt.Errorf("%w: the PDF is password-protected", ErrInvalid)
	ErrDamaged        = fmt.Errorf("%w: the file is damaged", ErrInvalid)
	ErrUnsupportedPDF = fmt.Errorf("%w: the PDF uses a feature that cannot be signed or archived", ErrInvalid)
	ErrDigestMismatch = fmt.Errorf("%w: the file differs from its declared SHA-256", ErrInvalid)
	ErrSizeMismatch   = fmt.Errorf("%w: the file differs from its declared size", ErrInvalid)
	ErrKeyReused      = fmt.Errorf("%w: the idempotency key was used for another request", ErrConflict)
	ErrInProgress     = fmt.Errorf("%w: a request with this idempotency key is still running", ErrConflict)
	ErrStale          = fmt.Errorf("%w: the record has changed meanwhile", ErrConflict)
	ErrInterrupted    = fmt.Errorf("%w: the upload ended before its last byte", ErrInvalid)
)

// What can be wrong with signing and export.
var (
	ErrNotLogged        = fmt.Errorf("%w: version not yet in ledger", ErrConflict)
	ErrNotWitnessed     = fmt.Errorf("%w: no checkpoint that the policy's witnesses have signed covers it yet", ErrNotLogged)
	ErrNotPDF           = fmt.Errorf("%w: only a PDF can be signed", ErrInvalid)
	ErrNoCertificate    = fmt.Errorf("%w: the account has no signing certificate", ErrConflict)
	ErrCertificate      = fmt.Errorf("%w: the certificate cannot be used for signing", ErrInvalid)
	ErrSignature        = fmt.Errorf("%w: the signature does not match the document and the certificate", ErrInvalid)
	ErrSignedFile       = fmt.Errorf("%w: the file is not the document to be signed with one signature more", ErrInvalid)
	ErrPicture          = fmt.Errorf("%w: the picture cannot be shown", ErrInvalid)
	ErrOwnWork          = fmt.Errorf("%w: nobody approves their own deposit", ErrForbidden)
	ErrJobDone          = fmt.Errorf("%w: the signing job has ended", ErrConflict)
	ErrOvertaken        = fmt.Errorf("%w: another version came before the signature; the new one is to be submitted", ErrStale)
	ErrJobExpired       = fmt.Errorf("%w: the signing job has expired", ErrGone)
	ErrEmptyDossier     = fmt.Errorf("%w: the dossier holds no document", ErrConflict)
	ErrNotReady         = fmt.Errorf("%w: the export is not signed yet", ErrConflict)
	ErrNameTaken        = fmt.Errorf("%w: the login is taken", ErrConflict)
	ErrDossierExists    = fmt.Errorf("%w: this person has a dossier in this register", ErrConflict)
	ErrPassword         = fmt.Errorf("%w: wrong login or password", ErrUnauthenticated)
	ErrPasswordWeak     = fmt.Errorf("%w: a password has at least 12 characters", ErrInvalid)
	ErrPasswordOwn      = fmt.Errorf("%w: a password does not hold the login or the name", ErrInvalid)
	ErrPasswordBreached = fmt.Errorf("%w: the password is known to attackers", ErrInvalid)
	ErrRevoked          = fmt.Errorf("%w: revoked or suspended", ErrCertificate)
	ErrStanding         = fmt.Errorf("%w: nobody says whether a certificate is revoked", ErrUnavailable)
	ErrSealRate         = fmt.Errorf("%w: the organisation's seal is used too often", ErrUnavailable)
	ErrDevice           = fmt.Errorf("%w: the device is not enrolled, is revoked, or did not sign this", ErrUnauthenticated)
	ErrClock            = fmt.Errorf("%w: the device's clock and the server's differ too much", ErrUnauthenticated)
	ErrDeviceKnown      = fmt.Errorf("%w: the device's key is enrolled", ErrConflict)
	ErrNoDevice         = fmt.Errorf("%w: only an enrolled device is offered a signature", ErrForbidden)
	ErrNeedsDevice      = fmt.Errorf("%w: it takes a session of an enrolled device", ErrForbidden)
	ErrNeedsMFA         = fmt.Errorf("%w: it takes a session with a second factor", ErrForbidden)
	ErrMustEnrol        = fmt.Errorf("%w: the role takes a second factor: enrol one and sign in with it", ErrForbidden)
	ErrNeedsPurpose     = fmt.Errorf("%w: it takes a purpose that is stated", ErrForbidden)
	ErrSecrecyChanged   = fmt.Errorf("%w: the secrecy has changed meanwhile", ErrConflict)
	ErrSessionExpired   = fmt.Errorf("%w: the session has ended", ErrUnauthenticated)
)

// What can be wrong with second factors.
var (
	ErrFactorStands = fmt.Errorf("%w: the account has a second factor", ErrConflict)
	ErrNoFactor     = fmt.Errorf("%w: there is no second factor to be confirmed, or it is another by now", ErrConflict)
	ErrCode         = fmt.Errorf("%w: the code is wrong or was used", ErrInvalid)
)

// What can be wrong with deliveries.
var (
	ErrNoDeliveryCertificate = fmt.Errorf("%w: the account has no delivery certificate", ErrConflict)
	ErrDeliveryCertificate   = fmt.Errorf("%w: the certificate cannot receive deliveries", ErrInvalid)
	ErrDeliveryKey           = fmt.Errorf("%w: its key is not RSA", ErrDeliveryCertificate)
	ErrDeliveryRevoked       = fmt.Errorf("%w: revoked or suspended", ErrDeliveryCertificate)
	ErrDeliveryStanding      = fmt.Errorf("%w: nobody says whether a delivery certificate is revoked", ErrUnavailable)
)

// What can be wrong with acts on units.
var (
	ErrUnitCode      = fmt.Errorf("%w: the unit's code is taken", ErrConflict)
	ErrUnitName      = fmt.Errorf("%w: a unit of this name stands beside it", ErrConflict)
	ErrUnitLevel     = fmt.Errorf("%w: there is no such level of units", ErrInvalid)
	ErrUnitNotThere  = fmt.Errorf("%w: the unit does not stand from that day to this", ErrConflict)
	ErrUnitCycle     = fmt.Errorf("%w: the unit would stand under itself", ErrConflict)
	ErrUnitInUse     = fmt.Errorf("%w: the unit has dossiers, accounts or units under it, and no successor is named", ErrConflict)
	ErrUnitSuccessor = fmt.Errorf("%w: the successor is the unit that ends, or stands under it", ErrConflict)
	ErrUnitLater     = fmt.Errorf("%w: the unit has an act of that day or later", ErrConflict)
	ErrUnitChanged   = fmt.Errorf("%w: another act on the unit came first", ErrConflict)
	ErrUnitFuture    = fmt.Errorf("%w: an act on a unit is recorded from the day on which it takes effect", ErrInvalid)
)

// What can be wrong with a file of units.
var (
	ErrUnitFile    = fmt.Errorf("%w: the file is no table in UTF-8 with commas or semicolons", ErrInvalid)
	ErrUnitHeading = fmt.Errorf("%w: the first line does not name the columns of units", ErrInvalid)
	ErrUnitColumns = fmt.Errorf("%w: the line has another number of columns than the heading", ErrInvalid)
	ErrUnitDate    = fmt.Errorf("%w: a day is dd/mm/yyyy", ErrInvalid)
)
