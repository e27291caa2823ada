package bundle

import "errors"

// Kinds of refusal of [Build] and of [ParseContents]. Errors of readers, writers and of package signing/pdf about an original are passed
// on as they are, wrapped in the document's number. They never carry titles or names.
var (
	// ErrTampered is an original, manifest or receipt that does not match the others.
	ErrTampered = errors.New("bundle: evidence does not match")
	// ErrUnfit is a dossier that lacks what an export needs.
	ErrUnfit = errors.New("bundle: dossier cannot be exported")
	// ErrMalformed is a contents listing that is not in canonical form.
	ErrMalformed = errors.New("bundle: malformed contents")
)
