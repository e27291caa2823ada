package bundle

import (
	"crypto/x509"
	"encoding/hex"
	"time"

	"trien/certs"
	"trien/signing"
)

// The JSON forms of a signature in a verdict.
type (
	signatureJSON struct {
		Field         string             `json:"field"`
		SubFilter     string             `json:"sub_filter"`
		Kind          string             `json:"kind"`
		Indication    string             `json:"indication"`
		SubIndication string             `json:"sub_indication,omitempty"`
		Level         string             `json:"level,omitempty"`
		Digest        string             `json:"digest,omitempty"`
		Algorithm     string             `json:"algorithm,omitempty"`
		Signer        *certificateJSON   `json:"signer,omitempty"`
		Chain         []*certificateJSON `json:"chain"`
		Time          *time.Time         `json:"time,omitempty"`
		TimeSource    signing.TimeSource `json:"time_source,omitempty"`
		ProvenBy      *sentenceJSON      `json:"proven_by,omitempty"`
		ClaimedTime   *time.Time         `json:"claimed_time,omitempty"`
		Stamps        []stampJSON        `json:"stamps"`
		Revocation    []revocationJSON   `json:"revocation"`
		ByteRange     [4]int64           `json:"byte_range"`
		RevisionEnd   int64              `json:"revision_end"`
		WholeRevision bool               `json:"whole_revision"`
		Certified     signing.Permission `json:"certified,omitempty"`
		Locks         []lockJSON         `json:"locks"`
		Changes       []changeJSON       `json:"changes"`
		Details       []sentenceJSON     `json:"details"`
		Findings      []detailJSON       `json:"findings"`
	}
	sentenceJSON struct {
		Vi string `json:"vi"`
		En string `json:"en"`
	}
	stampJSON struct {
		Time      *time.Time       `json:"time,omitempty"`
		Authority *certificateJSON `json:"authority,omitempty"`
		Policy    string           `json:"policy"`
	}
	revocationJSON struct {
		Subject    string       `json:"subject"`
		Serial     string       `json:"serial"`
		Source     certs.Source `json:"source,omitempty"`
		Responder  string       `json:"responder,omitempty"`
		ThisUpdate *time.Time   `json:"this_update,omitempty"`
		NextUpdate *time.Time   `json:"next_update,omitempty"`
		Revoked    bool         `json:"revoked"`
		RevokedAt  *time.Time   `json:"revoked_at,omitempty"`
		Reason     int          `json:"reason,omitempty"`
		Text       string       `json:"text,omitempty"`
		Online     bool         `json:"online,omitempty"`
		Stale      bool         `json:"stale,omitempty"`
	}
	lockJSON struct {
		Action signing.LockAction `json:"action"`
		Fields []string           `json:"fields"`
	}
	changeJSON struct {
		Code    string `json:"code"`
		Allowed bool   `json:"allowed"`
		Count   int    `json:"count"`
		Vi      string `json:"vi"`
		En      string `json:"en"`
		Text    string `json:"text"`
	}
)

func signaturesJSON(list []signing.SignatureReport) []signatureJSON {
	out := []signatureJSON{}
	for n := range list {
		out = append(out, signatureToJSON(&list[n]))
	}
	return out
}

func signatureToJSON(s *signing.SignatureReport) signatureJSON {
	j := signatureJSON{
		Field: printed(s.Field), SubFilter: printed(s.SubFilter), Kind: s.Kind, Indication: string(s.Indication), SubIndication: s.SubIndication,
		Level: s.Level, Digest: s.Digest, Algorithm: s.Algorithm, Signer: certificateToJSON(s.Signer), Chain: []*certificateJSON{},
		Time: known(s.Time), TimeSource: s.TimeSource, ClaimedTime: known(s.ClaimedTime), Stamps: []stampJSON{}, Revocation: []revocationJSON{},
		ByteRange: s.ByteRange, RevisionEnd: s.RevisionEnd, WholeRevision: s.WholeRevision, Certified: s.Certified,
		Locks: []lockJSON{}, Changes: []changeJSON{}, Details: []sentenceJSON{}, Findings: []detailJSON{},
	}
	if j.Time != nil {
		by := sentenceJSON(ProvenBy(s))
		j.ProvenBy = &by
	}
	for _, d := range Details(s) {
		j.Details = append(j.Details, sentenceJSON(d))
	}
	for _, c := range s.Chain {
		j.Chain = append(j.Chain, certificateToJSON(c))
	}
	if s.Kind == kindSignature {
		for _, t := range s.Stamps {
			j.Stamps = append(j.Stamps, stampJSON{Time: known(t.Time), Authority: certificateToJSON(t.Authority), Policy: t.Policy})
		}
	}
	for _, r := range revocations(s) {
		j.Revocation = append(j.Revocation, revocationToJSON(&r))
	}
	for _, l := range s.Locks {
		fields := []string{}
		for _, f := range l.Fields {
			fields = append(fields, printed(f))
		}
		j.Locks = append(j.Locks, lockJSON{Action: l.Action, Fields: fields})
	}
	for _, c := range ChangesAfter(s) {
		j.Changes = append(j.Changes, changeJSON{Code: c.Code, Allowed: c.Allowed, Count: c.Count, Vi: c.Words.Vi, En: c.Words.En, Text: c.Text})
	}
	for _, f := range s.Findings {
		j.Findings = append(j.Findings, detailJSON{Code: f.Code, Text: printed(f.Text), Fatal: f.Fatal})
	}
	return j
}

func revocationToJSON(r *signing.Revocation) revocationJSON {
	j := revocationJSON{
		Subject: printed(r.Certificate.Subject.String()), Serial: hex.EncodeToString(r.Certificate.SerialNumber.Bytes()), Source: r.Source,
		ThisUpdate: known(r.ThisUpdate), NextUpdate: known(r.NextUpdate), Revoked: r.Revoked, RevokedAt: known(r.RevokedAt), Reason: r.Reason, Text: printed(r.Text),
		Online: r.Online, Stale: r.Stale,
	}
	if r.Responder != nil {
		j.Responder = printed(r.Responder.Subject.String())
	}
	return j
}

// certificateToJSON is nil for no certificate.
func certificateToJSON(c *x509.Certificate) *certificateJSON {
	if c == nil {
		return nil
	}
	return &certificateJSON{
		Subject: printed(c.Subject.String()), Issuer: printed(c.Issuer.String()), Serial: hex.EncodeToString(c.SerialNumber.Bytes()),
		NotBefore: c.NotBefore.UTC(), NotAfter: c.NotAfter.UTC(),
	}
}
