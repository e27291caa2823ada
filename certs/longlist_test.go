package certs_test

import (
	"bufio"
	"crypto"
	"crypto/rand"
	"crypto/sha256"
	"crypto/x509"
	"encoding/binary"
	"io"
	"os"
	"path/filepath"
	"testing"

	"golang.org/x/crypto/cryptobyte"
	der "golang.org/x/crypto/cryptobyte/asn1"
)

// writeLong makes a long list out of a short one with one entry: the same head and extensions, and so many entries.
func writeLong(t *testing.T, short *x509.RevocationList, ca listCA, entries int) (path string, size int64) {
	t.Helper()
	in := cryptobyte.String(short.RawTBSRevocationList)
	var tbs, head, list, first cryptobyte.String
	if !in.ReadASN1(&tbs, der.SEQUENCE) {
		t.Fatal("list")
	}
	for range 5 { // version, algorithm, issuer, thisUpdate, nextUpdate
		var element cryptobyte.String
		var tag der.Tag
		if !tbs.ReadAnyASN1Element(&element, &tag) {
			t.Fatal("list")
		}
		head = append(head, element...)
	}
	if !tbs.ReadASN1(&list, der.SEQUENCE) || !list.ReadASN1Element(&first, der.SEQUENCE) {
		t.Fatal("entries")
	}
	extensions := tbs
	body := int64(len(first)) * int64(entries)
	last := lastEntry(t, first)
	body += int64(len(last))
	header := func(tag byte, n int64) []byte {
		b := []byte{tag, 0x84, 0, 0, 0, 0}
		binary.BigEndian.PutUint32(b[2:], uint32(n))
		for b[2] == 0 && len(b) > 3 { // the shortest form
			b = append(b[:2], b[3:]...)
			b[1]--
		}
		return b
	}
	listHead := header(0x30, body)
	tbsLen := int64(len(head)+len(listHead)) + body + int64(len(extensions))
	tbsHead := header(0x30, tbsLen)

	path = filepath.Join(t.TempDir(), "long.crl")
	emit := func(w io.Writer) {
		for _, b := range [][]byte{tbsHead, head, listHead} {
			mustWrite(t, w, b)
		}
		entry := append([]byte{}, first...)
		for i := range entries {
			binary.BigEndian.PutUint64(entry[8:], uint64(i)) // inside the number
			mustWrite(t, w, entry)
		}
		mustWrite(t, w, last)
		mustWrite(t, w, extensions)
	}
	sum := sha256.New()
	emit(sum)
	signature, err := ca.key.Sign(rand.Reader, sum.Sum(nil), crypto.SHA256)
	if err != nil {
		t.Fatal(err)
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) { b.AddASN1ObjectIdentifier([]int{1, 2, 840, 10045, 4, 3, 2}) })
	b.AddASN1BitString(signature)
	end := b.BytesOrPanic()
	f, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	w := bufio.NewWriter(f)
	mustWrite(t, w, header(0x30, int64(len(tbsHead))+tbsLen+int64(len(end))))
	emit(w)
	mustWrite(t, w, end)
	if err := w.Flush(); err != nil {
		t.Fatal(err)
	}
	if size, err = f.Seek(0, io.SeekCurrent); err != nil {
		t.Fatal(err)
	}
	if err := f.Close(); err != nil {
		t.Fatal(err)
	}
	return path, size
}

// lastEntry is an entry with the number 5 and the date of another.
func lastEntry(t *testing.T, entry cryptobyte.String) []byte {
	t.Helper()
	var fields cryptobyte.String
	if !entry.ReadASN1(&fields, der.SEQUENCE) || !fields.SkipASN1(der.INTEGER) {
		t.Fatal("entry")
	}
	var b cryptobyte.Builder
	b.AddASN1(der.SEQUENCE, func(b *cryptobyte.Builder) {
		b.AddASN1Int64(5)
		b.AddBytes(fields)
	})
	return b.BytesOrPanic()
}

func mustWrite(t *testing.T, w io.Writer, b []byte) {
	if _, err := w.Write(b); err != nil {
		t.Fatal(err)
	}
}
