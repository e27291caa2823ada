package api

import (
	"bytes"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"trien/api/wire"
	"trien/vault"
)

// FuzzDepositForm: whatever is sent as a form, the file comes out as it stands in it, or an error of the table does.
func FuzzDepositForm(f *testing.F) {
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"title\"\r\n\r\nx\r\n"+
		"--b\r\nContent-Disposition: form-data; name=\"file\"; filename=\"y\"\r\n\r\ncontent\r\n--b--\r\n"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--b\r\n"+
		"Content-Disposition: form-data; name=\"file\"\r\n\r\n\r\n--b--"))
	f.Add("multipart/form-data; boundary=\"b b\"", []byte("--b b--"))
	f.Add("multipart/form-data", []byte("--"))
	f.Add("multipart/mixed; boundary=b", []byte("--b\r\n\r\n--b--"))
	f.Add("multipart/form-data; boundary=b", []byte("--b\r\nContent-Disposition: form-data; name=\"csrf\"\r\n\r\n--b--\r\n"))
	f.Fuzz(func(t *testing.T, contentType string, body []byte) {
		form, err := newForm(contentType, bytes.NewReader(body))
		if err != nil {
			inTable(t, err)
			return
		}
		got, file, err := form.read(depositFields(false, false))
		if err != nil {
			inTable(t, err)
			return
		}
		for name, value := range got {
			if len(value) > maxField || !strings.Contains("origin basis sha256 kind title", name) {
				t.Errorf("field %q of %d bytes", name, len(value))
			}
		}
		content, err := io.ReadAll(file)
		if err != nil {
			inTable(t, err)
		} else if !bytes.Contains(body, content) {
			t.Errorf("the file is not in the form: %q", content)
		}
		var n vault.NewDeposit
		if err := got.fill(&n); err != nil {
			inTable(t, err)
		}
	})
}

// inTable: an error that strangers can cause has a row in the table, and is no fault of the system's.
func inTable(t *testing.T, err error) {
	t.Helper()
	if k, known := kindOf(err); !known || k.status >= 500 {
		t.Errorf("%v is answered %d", err, k.status)
	}
}

// FuzzRange: a range lies within the document, is not empty, and what it says it starts at is where it starts.
func FuzzRange(f *testing.F) {
	for _, s := range []string{"bytes=0-0", "bytes=5-", "bytes=-5", "bytes=9-1", "bytes=0-1,2-3", "bytes=", "bytes=-", "bytes= 1-2 ",
		"bytes=18446744073709551616-", "bytes=-18446744073709551616", "lines=1-2", "bytes=+1-2", "bytes=1-+2"} {
		f.Add(s, int64(10))
	}
	f.Add("bytes=0-", int64(0))
	f.Fuzz(func(t *testing.T, header string, size int64) {
		if size < 0 {
			return
		}
		r, ok, err := parseRange(header, size)
		if err != nil {
			if !errors.Is(err, errRange) || ok {
				t.Errorf("%v %v", err, ok)
			}
			return
		}
		if ok && (r.start < 0 || r.length < 1 || r.start > size-r.length) {
			t.Errorf("%q of %d is %+v", header, size, r)
		}
	})
}

// FuzzJSON: a body that is taken is one value of the shape, and gives the same shape again.
func FuzzJSON(f *testing.F) {
	for _, s := range []string{
		`{"certificate":"AA==","value":"AQI=","chain":["AA=="]}`, `{"value":null}`, `{}`, `{}{}`, `[]`, `{"x":1}`, `null`, "", "{",
		`{"value":"not base64"}`, `{"certificate":"AA==","certificate":"AQ=="}`,
	} {
		f.Add([]byte(s))
	}
	f.Fuzz(func(t *testing.T, body []byte) {
		var s wire.Signature
		if err := decodeJSON(bytes.NewReader(body), &s); err != nil {
			inTable(t, err)
			return
		}
		again, err := json.Marshal(s)
		if err != nil {
			t.Fatal(err)
		}
		var other wire.Signature
		if err := decodeJSON(bytes.NewReader(again), &other); err != nil {
			t.Errorf("%s: %v", again, err)
		}
		var d wire.NewDossier
		if err := decodeJSON(bytes.NewReader(body), &d); err != nil {
			inTable(t, err)
		}
	})
}

// FuzzAcceptLanguage: any header gives one of the two languages.
func FuzzAcceptLanguage(f *testing.F) {
	for _, s := range []string{"", "en", "vi;q=0.1,en;q=0.9", ";;q=", "en;q=nan", "*"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, header string) {
		if l := acceptLanguage(header); l != vietnamese && l != english {
			t.Errorf("%q", l)
		}
	})
}
