package signing

import (
	"crypto/x509"
	"time"
)

// Request says how to sign a PDF.
type Request struct {
	Certificate            *x509.Certificate
	Algorithm              Algorithm // empty: as [DefaultAlgorithm] says
	Statement              Statement // signed attributes; a commitment stands in the place of Reason
	Name, Reason, Location string    // shown and kept in the signature dictionary; any Vietnamese text
	Contact                string
	Time                   time.Time   // the dictionary's /M, written in +07:00; zero: now
	Field                  string      // full name of an empty signature field, or of a new one; empty: the next free "Signature<n>"
	Visible                *Appearance // nil: invisible
	Certify                Permission  // certifies the document (DocMDP), as its first signature; zero: an approval signature
	Lock                   *Lock       // nil: locks no fields, or those that an empty field names
	Reserve                int         // bytes kept for the CMS with its time-stamp; 0: 16384
}

// defaultReserve holds a signature, two short chains and a time-stamp token. RSA-4096 throughout needs about 12 KiB.
const defaultReserve = 16 << 10

const (
	signatureFilter = "Adobe.PPKLite"

	subFilterCAdES = "ETSI.CAdES.detached"
	subFilterAdobe = "adbe.pkcs7.detached"
	subFilterStamp = "ETSI.RFC3161"
)

// vietnam is the zone of times in signature dictionaries. It has had no summer time since 1975.
var vietnam = time.FixedZone("+07", 7*3600)

// pdfDate writes a date of ISO 32000-1, 7.9.4.
func pdfDate(t time.Time) string { return t.In(vietnam).Format("D:20060102150405+07'00'") }
