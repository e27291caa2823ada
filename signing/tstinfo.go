package signing

import (
	"crypto"
	"encoding/asn1"
	"math/big"
	"strings"
	"time"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// tstInfo is what a time-stamp authority signs (RFC 3161 §2.4.2).
type tstInfo struct {
	policy  asn1.ObjectIdentifier
	hash    crypto.Hash
	imprint []byte
	serial  *big.Int
	time    time.Time
	nonce   *big.Int // nil if absent
}

// parseTSTInfo reads DER. Errors are flaws.
func parseTSTInfo(raw []byte) (*tstInfo, error) {
	bad := failed(subFormat, "TSTInfo is not well formed")
	in := cryptobyte.String(raw)
	var seq, imprint, stamped cryptobyte.String
	var version int
	t := &tstInfo{serial: new(big.Int)}
	if !in.ReadASN1(&seq, der.SEQUENCE) || !in.Empty() || !seq.ReadASN1Integer(&version) || version != 1 ||
		!seq.ReadASN1ObjectIdentifier(&t.policy) || !seq.ReadASN1(&imprint, der.SEQUENCE) {
		return nil, bad
	}
	a, ok := readAlgorithm(&imprint)
	if !ok || !imprint.ReadASN1Bytes(&t.imprint, der.OCTET_STRING) || !imprint.Empty() {
		return nil, bad
	}
	var err error
	if t.hash, err = a.digest(); err != nil {
		return nil, err
	}
	if !seq.ReadASN1Integer(t.serial) || !seq.ReadASN1(&stamped, der.GeneralizedTime) {
		return nil, bad
	}
	if t.time, ok = parseGeneralized(string(stamped)); !ok {
		return nil, bad
	}
	return t, t.readOptional(seq)
}

// readOptional reads accuracy, ordering, nonce, tsa and extensions.
func (t *tstInfo) readOptional(seq cryptobyte.String) error {
	bad := failed(subFormat, "TSTInfo is not well formed")
	var skip, extensions cryptobyte.String
	var present bool
	if !seq.ReadOptionalASN1(&skip, &present, der.SEQUENCE) || !seq.SkipOptionalASN1(der.BOOLEAN) {
		return bad
	}
	if seq.PeekASN1Tag(der.INTEGER) {
		t.nonce = new(big.Int)
		if !seq.ReadASN1Integer(t.nonce) {
			return bad
		}
	}
	if !seq.SkipOptionalASN1(tagged(0)) || !seq.ReadOptionalASN1(&extensions, &present, tagged(1)) || !seq.Empty() {
		return bad
	}
	for !extensions.Empty() {
		var e cryptobyte.String
		var oid asn1.ObjectIdentifier
		var critical bool
		if !extensions.ReadASN1(&e, der.SEQUENCE) || !e.ReadASN1ObjectIdentifier(&oid) {
			return bad
		}
		if e.PeekASN1Tag(der.BOOLEAN) && !e.ReadASN1Boolean(&critical) {
			return bad
		}
		if critical {
			return failed(subFormat, "critical extension %s in the time-stamp", oid)
		}
	}
	return nil
}

// parseGeneralized reads a GeneralizedTime in UTC, with or without a fraction of a second, which RFC 3161 allows and
// encoding/asn1 does not.
func parseGeneralized(s string) (time.Time, bool) {
	whole, ok := strings.CutSuffix(s, "Z")
	if !ok {
		return time.Time{}, false
	}
	layout := "20060102150405"
	if seconds, fraction, dotted := strings.Cut(whole, "."); dotted {
		if len(seconds) != len(layout) || fraction == "" || len(fraction) > 9 || strings.HasSuffix(fraction, "0") {
			return time.Time{}, false
		}
		layout += "." + strings.Repeat("0", len(fraction))
	}
	t, err := time.Parse(layout, whole)
	return t, err == nil
}
