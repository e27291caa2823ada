package bundle

import "fmt"

// Names of the attachments that every export has once.
const (
	contentsName = "dossier.txt"
	policyName   = "policy.txt"
)

// extensions of the media types that the vault takes; the file's type is the manifest's, this is for people.
var extensions = map[string]string{
	"application/pdf":  "pdf",
	"image/jpeg":       "jpg",
	"image/png":        "png",
	"image/tiff":       "tif",
	"application/xml":  "xml",
	"text/xml":         "xml",
	"application/json": "json",
}

// OriginalName is the attachment's name of document i (from 0), such as 001-party.member_slip-v2.pdf: no name of a person is in it,
// and no folder, so that every tool saves it where it is told to.
func (c Contents) OriginalName(i int) string {
	e := c.Entries[i]
	return fmt.Sprintf("%03d-%s-v%d.%s", i+1, e.Kind, e.Number, extension(e.MediaType))
}

func extension(mediaType string) string {
	if known, ok := extensions[mediaType]; ok {
		return known
	}
	return "bin"
}

// Evidence of document i: manifest as logged, salt in hexadecimal, receipt (tlog-proof).
func manifestName(i int) string { return fmt.Sprintf("%03d.manifest", i+1) }
func saltName(i int) string     { return fmt.Sprintf("%03d.salt", i+1) }
func receiptName(i int) string  { return fmt.Sprintf("%03d.tlog-proof", i+1) }

// attachmentNames lists all that must be attached, each once.
func (c Contents) attachmentNames() []string {
	names := []string{contentsName, policyName}
	for i := range c.Entries {
		names = append(names, c.OriginalName(i), manifestName(i), saltName(i), receiptName(i))
	}
	return names
}
