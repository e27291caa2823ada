package main

import (
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"trien/certs"
	"trien/ledger/audit"
	"trien/signing"
	"trien/vault/bundle"
)

const textHelp = `trien-verify text – kiểm tra chữ ký tách rời của một văn bản
                    judge the detached signature of a text (CAdES)

Cách dùng / usage:
  trien-verify text TỆP TỆP.p7s --anchors CHỨNG-THƯ-GỐC.pem [--online]

  --anchors PEM    chứng thư gốc mà người kiểm tra tin cậy
                   root certificates that you believe
  --online         hỏi cơ quan cấp xem chứng thư có bị thu hồi không: chữ ký tách rời không mang theo chứng cứ đó
                   ask the issuer whether the certificate is revoked: a detached signature carries no evidence of that
  --at THỜI-ĐIỂM   kiểm tra theo thời điểm này (không dùng cùng --online)
                   judge for this time (not with --online)
  --json, --lang vi|en

Mã thoát / exit codes:
  0  đạt / passed
  1  không đạt / failed
  2  chưa kết luận được / cannot say
  3  gọi sai cách / called wrongly
`

func textCommand(ctx context.Context, args []string, stdout, _ io.Writer) error {
	var a asked
	var anchors, at string
	var online bool
	f := a.flags("text")
	f.StringVar(&anchors, "anchors", "", "")
	f.StringVar(&at, "at", "", "")
	f.BoolVar(&online, "online", false, "")
	rest, done, err := a.parse(f, args, stdout, textHelp)
	switch {
	case err != nil || done:
		return err
	case len(rest) != 2:
		return fmt.Errorf("%w: name a text and its signature, and flags", errUsage)
	case online && at != "":
		return fmt.Errorf("%w: issuers tell of now: --at does not go with --online", errUsage)
	}
	o := signing.InspectOptions{At: time.Now()}
	if at != "" {
		if o.At, err = parseTime(at); err != nil {
			return err
		}
	}
	trust, err := options{anchors: anchors}.trust()
	if err != nil {
		return err
	}
	o.Anchors = trust.Anchors
	if online {
		issuers := &certs.Fetcher{Policy: certs.RevocationPolicy{View: certs.DefaultViewGrace}}
		o.Online = func(ctx context.Context, chain []*x509.Certificate) (*certs.Standing, error) {
			return issuers.Check(ctx, chain, certs.ToView, o.At)
		}
	}
	text, err := readTrusted(rest[0])
	if err != nil {
		return err
	}
	cms, err := readTrusted(rest[1])
	if err != nil {
		return err
	}
	report, err := signing.VerifyText(ctx, cms, text, o)
	if err != nil {
		return fmt.Errorf("judging a text: %w", err)
	}
	outcome := audit.CannotSay
	switch report.Indication {
	case signing.Passed:
		outcome = audit.Passed
	case signing.Failed:
		outcome = audit.Failed
	case signing.Indeterminate:
	}
	if a.json {
		return errors.Join(writeTextJSON(stdout, outcome, report, text), concluded(outcome))
	}
	return errors.Join(a.tellText(stdout, outcome, report, text), concluded(outcome))
}

var textWords = map[audit.Outcome]pair{
	audit.Passed:    {"văn bản đúng từng byte như người dưới đây đã ký.", "the text is, byte for byte, what the person below signed."},
	audit.Failed:    {"chữ ký không đúng với văn bản này, hoặc không hợp lệ.", "the signature is not of this text, or not valid."},
	audit.CannotSay: {"chưa đủ căn cứ; lý do ghi bên dưới.", "there is not enough to say; the reasons are below."},
}

func (a *asked) tellText(w io.Writer, outcome audit.Outcome, r *signing.SignatureReport, text []byte) error {
	t := a.teller(w)
	t.line(0, pair{"%s: %s", "%s: %s"}, t.say(outcomeWords[outcome]), t.say(textWords[outcome]))
	t.line(1, pair{"%s %s", "%s %s"}, string(r.Indication), r.SubIndication)
	if r.Signer != nil {
		t.line(1, pair{"Người ký: %s (chứng thư %x)", "Signed by: %s (certificate %x)"}, cleaned(r.Signer.Subject.String()), r.Signer.SerialNumber)
	}
	if len(r.Statement.Roles) > 0 {
		t.line(1, pair{"Chức vụ tự khai: %s", "Role claimed: %s"}, cleaned(strings.Join(r.Statement.Roles, "; ")))
	}
	switch by := bundle.ProvenBy(r); {
	case !r.Time.IsZero():
		t.line(1, pair{"Lúc %s, %s", "At %s, %s"}, vnTime(r.Time), t.say(pair{by.Vi, by.En}))
	case !r.ClaimedTime.IsZero():
		t.line(1, pair{"Lúc %s theo lời khai, chưa chứng minh được", "At %s as claimed, not proven"}, vnTime(r.ClaimedTime))
	}
	if r.Level != "" {
		t.line(1, pair{"Mức %s", "Level %s"}, r.Level)
	}
	for _, f := range r.Findings {
		t.line(1, pair{"- %s [%s]", "- %s [%s]"}, cleaned(f.Text), f.Code)
	}
	t.line(1, pair{"SHA-256 của văn bản %x", "SHA-256 of the text %x"}, sha256.Sum256(text))
	return t.err
}

func writeTextJSON(w io.Writer, outcome audit.Outcome, r *signing.SignatureReport, text []byte) error {
	type finding struct {
		Code  string `json:"code"`
		Text  string `json:"text"`
		Fatal bool   `json:"fatal"`
	}
	sum := sha256.Sum256(text)
	v := struct {
		Format        string        `json:"format"`
		Outcome       audit.Outcome `json:"outcome"`
		Indication    string        `json:"indication"`
		SubIndication string        `json:"sub_indication,omitempty"`
		Level         string        `json:"level,omitempty"`
		Signer        string        `json:"signer,omitempty"`
		Serial        string        `json:"serial,omitempty"`
		Roles         []string      `json:"roles,omitempty"`
		ClaimedTime   time.Time     `json:"claimed_time,omitzero"`
		Time          time.Time     `json:"time,omitzero"`
		SHA256        string        `json:"sha256"`
		Findings      []finding     `json:"findings"`
	}{
		Format: "trien/text-verdict/v1", Outcome: outcome, Indication: string(r.Indication), SubIndication: r.SubIndication, Level: r.Level,
		ClaimedTime: r.ClaimedTime, Time: r.Time, SHA256: hex.EncodeToString(sum[:]), Findings: []finding{},
	}
	if r.Signer != nil {
		v.Signer, v.Serial = cleaned(r.Signer.Subject.String()), r.Signer.SerialNumber.Text(16)
	}
	for _, role := range r.Statement.Roles {
		v.Roles = append(v.Roles, cleaned(role))
	}
	for _, f := range r.Findings {
		v.Findings = append(v.Findings, finding{f.Code, cleaned(f.Text), f.Fatal})
	}
	return json.NewEncoder(w).Encode(v)
}
