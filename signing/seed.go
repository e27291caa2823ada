package signing

import (
	"fmt"
	"slices"
	"strings"

	"trien/signing/pdf"
)

// Flags of /Ff in a seed value dictionary (ISO 32000-2, table 237): the entry of that name must be obeyed.
const (
	seedFilter = 1 << iota
	seedSubFilter
	seedVersion
	seedReasons
	seedLegal
	seedRevocation
	seedDigest
	seedLockDocument
	seedAppearance
)

// checkSeed refuses to sign an empty field in another way than its author asks (/SV; ISO 32000-1, 12.7.4.5). What is flagged as required is obeyed or
// refused, never passed over; what is only proposed is not looked at.
func checkSeed(doc *pdf.Document, field pdf.Dict, r *Request) error {
	seed, err := pdf.Get[pdf.Dict](doc, field["SV"])
	if err != nil || seed == nil {
		return fromPDF(err)
	}
	flags, err := pdf.Get[pdf.Integer](doc, seed["Ff"])
	if err != nil {
		return fromPDF(err)
	}
	required := func(flag int) bool { return int(flags)&flag != 0 }
	filter, err1 := pdf.Get[pdf.Name](doc, seed["Filter"])
	version, err2 := pdf.Get[pdf.Real](doc, seed["V"])
	subFilter, err3 := listed[pdf.Name](doc, seed["SubFilter"])
	digests, err4 := listed[pdf.Name](doc, seed["DigestMethod"])
	for _, err := range []error{err1, err2, err3, err4} {
		if err != nil {
			return fromPDF(err)
		}
	}
	digest := pdf.Name(strings.ReplaceAll(r.Algorithm.Hash().String(), "-", "")) // SHA-256 is SHA256 here
	switch {
	case required(seedFilter) && filter != signatureFilter:
		return refusedSeed("a signature handler %q", filter)
	case required(seedSubFilter) && !slices.Contains(subFilter, subFilterCAdES):
		return refusedSeed("signatures of the kind %q", subFilter)
	case required(seedVersion) && version > 2:
		return refusedSeed("seed values of version %v", version)
	case required(seedDigest) && !slices.Contains(digests, digest):
		return refusedSeed("a digest of the kind %q", digests)
	case required(seedLegal):
		return refusedSeed("a legal attestation")
	case required(seedRevocation):
		return refusedSeed("revocation evidence inside the signature")
	case required(seedLockDocument):
		return refusedSeed("a choice of locking the document")
	case required(seedAppearance):
		return refusedSeed("an appearance by name")
	}
	if err := checkSeedReason(doc, seed, required(seedReasons), r.Reason); err != nil {
		return err
	}
	return checkSeedOf(doc, seed, r)
}

func refusedSeed(format string, args ...any) error {
	return fmt.Errorf("%w: the signature field asks for "+format, append([]any{ErrUnsupported}, args...)...)
}

// listed reads an array of one kind, or one alone.
func listed[T pdf.Object](doc *pdf.Document, o pdf.Object) ([]T, error) {
	o, err := doc.Resolve(o)
	if err != nil || o == nil {
		return nil, err
	}
	array, ok := o.(pdf.Array)
	if !ok {
		array = pdf.Array{o}
	}
	var list []T
	for _, e := range array {
		v, err := pdf.Get[T](doc, e)
		if err != nil {
			return nil, err
		}
		list = append(list, v)
	}
	return list, nil
}

// checkSeedReason: a single period, or no list, stands for no reason at all.
func checkSeedReason(doc *pdf.Document, seed pdf.Dict, required bool, reason string) error {
	reasons, err := listed[pdf.String](doc, seed["Reasons"])
	if err != nil || !required {
		return fromPDF(err)
	}
	if len(reasons) == 0 || len(reasons) == 1 && reasons[0].Text() == "." {
		if reason != "" {
			return refusedSeed("no reason to be given")
		}
		return nil
	}
	if !slices.ContainsFunc(reasons, func(s pdf.String) bool { return s.Text() == reason }) {
		return refusedSeed("one of its own reasons")
	}
	return nil
}

// checkSeedOf looks at the entries that have flags of their own, or none: certification, certificate and time-stamp.
func checkSeedOf(doc *pdf.Document, seed pdf.Dict, r *Request) error {
	mdp, err := pdf.Get[pdf.Dict](doc, seed["MDP"])
	if err != nil {
		return fromPDF(err)
	}
	if mdp != nil {
		p, err := pdf.Get[pdf.Integer](doc, mdp["P"])
		if err != nil {
			return fromPDF(err)
		}
		if Permission(p) != r.Certify {
			return refusedSeed("certification level %d", p)
		}
	}
	stamp, err := pdf.Get[pdf.Dict](doc, seed["TimeStamp"])
	if err != nil {
		return fromPDF(err)
	}
	if flag, err := pdf.Get[pdf.Integer](doc, stamp["Ff"]); err != nil || flag&1 != 0 {
		if err == nil {
			err = refusedSeed("a time-stamp from a server that it names")
		}
		return fromPDF(err)
	}
	return checkSeedCertificate(doc, seed["Cert"], r)
}

// checkSeedCertificate knows one constraint, the list of certificates that may sign (ISO 32000-1, table 235).
func checkSeedCertificate(doc *pdf.Document, o pdf.Object, r *Request) error {
	const subject = 1
	d, err := pdf.Get[pdf.Dict](doc, o)
	if err != nil {
		return fromPDF(err)
	}
	flags, err := pdf.Get[pdf.Integer](doc, d["Ff"])
	if err != nil {
		return fromPDF(err)
	}
	if flags&^subject != 0 {
		return refusedSeed("certificates in a way that is not known")
	}
	if flags&subject == 0 {
		return nil
	}
	allowed, err := listed[pdf.String](doc, d["Subject"])
	if err != nil {
		return fromPDF(err)
	}
	if !slices.Contains(allowed, pdf.String(r.Certificate.Raw)) {
		return refusedSeed("another certificate")
	}
	return nil
}
