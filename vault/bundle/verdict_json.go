package bundle

import (
	"encoding/json"
	"fmt"
	"io"
	"time"
)

// VerdictFormat stands in every JSON verdict. Fields may be added under it; none changes its meaning.
const VerdictFormat = "trien/verdict/v1"

// The JSON forms of a verdict; VERDICT.md describes them.
type (
	verdictJSON struct {
		Format     string          `json:"format"`
		Outcome    Outcome         `json:"outcome"`
		Export     *exportJSON     `json:"export,omitempty"`
		Person     *int            `json:"person,omitempty"` // index into signatures
		Seal       *int            `json:"seal,omitempty"`
		Signatures []signatureJSON `json:"signatures"`
		Documents  []documentJSON  `json:"documents"`
		Checkpoint *checkpointJSON `json:"checkpoint,omitempty"`
		Findings   []findingJSON   `json:"findings"`
		SHA256     string          `json:"sha256"`
		Size       int64           `json:"size"`
		JudgedAt   time.Time       `json:"judged_at"`
	}
	exportJSON struct {
		ID       string    `json:"id"`
		Dossier  string    `json:"dossier"`
		Register string    `json:"register"`
		Exported time.Time `json:"exported"`
		Purpose  string    `json:"purpose,omitempty"`
		Pages    int       `json:"pages"`
	}
	certificateJSON struct {
		Subject   string    `json:"subject"`
		Issuer    string    `json:"issuer"`
		Serial    string    `json:"serial"`
		NotBefore time.Time `json:"not_before"`
		NotAfter  time.Time `json:"not_after"`
	}
	documentJSON struct {
		Title      string          `json:"title"`
		Kind       string          `json:"kind"`
		MediaType  string          `json:"media_type"`
		File       string          `json:"file"`
		FirstPage  int             `json:"first_page"`
		LastPage   int             `json:"last_page"`
		Version    string          `json:"version"`
		Number     int             `json:"number"`
		SHA256     string          `json:"sha256"`
		Size       int64           `json:"size"`
		Time       *time.Time      `json:"time,omitempty"`
		Index      uint64          `json:"index"`
		Outcome    Outcome         `json:"outcome"`
		Signatures []signatureJSON `json:"signatures"`
		Findings   []findingJSON   `json:"findings"`
	}
	checkpointJSON struct {
		Origin    string      `json:"origin"`
		Size      uint64      `json:"size"`
		Root      string      `json:"root"`
		Witnessed []time.Time `json:"witnessed"`
	}
	findingJSON struct {
		Code    string  `json:"code"`
		Outcome Outcome `json:"outcome"`
		Fatal   bool    `json:"fatal"`
		Vi      string  `json:"vi"`
		En      string  `json:"en"`
	}
	detailJSON struct {
		Code  string `json:"code"`
		Text  string `json:"text"`
		Fatal bool   `json:"fatal"`
	}
)

// WriteJSON prints the verdict for machines, in the form that VERDICT.md describes, indented, with a newline at the end.
func (v *Verdict) WriteJSON(w io.Writer) error {
	b, err := json.MarshalIndent(v.toJSON(), "", "  ")
	if err != nil {
		return fmt.Errorf("encoding verdict: %w", err)
	}
	_, err = w.Write(append(b, '\n'))
	return err
}

func (v *Verdict) toJSON() verdictJSON {
	out := verdictJSON{
		Format: VerdictFormat, Outcome: v.Outcome, Signatures: signaturesJSON(v.Signatures), Documents: []documentJSON{},
		Findings: findingsJSON(v.Findings), SHA256: v.SHA256.String(), Size: v.Size, JudgedAt: v.JudgedAt.UTC(),
	}
	for i := range v.Signatures {
		switch &v.Signatures[i] {
		case v.Person:
			out.Person = &i
		case v.Seal:
			out.Seal = &i
		}
	}
	if c := v.Contents; c != nil {
		out.Export = &exportJSON{ID: c.Export.String(), Dossier: c.Dossier.String(), Register: c.Register, Exported: c.Exported.UTC(), Purpose: c.Purpose, Pages: c.Pages}
	}
	if c := v.Checkpoint; c.Size > 0 {
		out.Checkpoint = &checkpointJSON{Origin: c.Origin, Size: c.Size, Root: c.Root.String(), Witnessed: append([]time.Time{}, c.Witnessed...)}
	}
	for _, d := range v.Documents {
		out.Documents = append(out.Documents, documentJSON{
			Title: d.Name, Kind: d.Kind, MediaType: d.MediaType, File: d.File, FirstPage: d.FirstPage, LastPage: d.LastPage,
			Version: d.Version.String(), Number: d.Number, SHA256: d.SHA256.String(), Size: d.Size, Time: known(d.Time), Index: d.Index,
			Outcome: d.Outcome, Signatures: signaturesJSON(d.Signatures), Findings: findingsJSON(d.Findings),
		})
	}
	return out
}

func findingsJSON(list []Finding) []findingJSON {
	out := []findingJSON{}
	for _, f := range list {
		out = append(out, findingJSON{Code: f.Code, Outcome: f.Outcome, Fatal: f.Fatal, Vi: f.Vi, En: f.En})
	}
	return out
}

// known leaves out a time that nobody knows, and one that JSON cannot hold (a hostile certificate may claim any year).
func known(t time.Time) *time.Time {
	if t.IsZero() || t.Year() < 1 || t.Year() > 9999 {
		return nil
	}
	utc := t.UTC()
	return &utc
}
