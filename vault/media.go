package vault

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"encoding/xml"
	"errors"
	"fmt"
	"image/jpeg"
	"image/png"
	"io"
	"strings"

	"golang.org/x/image/tiff"

	"trien/signing/pdf"
)

// Media types that the vault takes.
const (
	mediaPDF  = "application/pdf"
	mediaJPEG = "image/jpeg"
	mediaPNG  = "image/png"
	mediaTIFF = "image/tiff"
	mediaXML  = "application/xml"
	mediaJSON = "application/json"
)

// maxText bounds XML and JSON, whose parsers hold one token at a time in memory.
const maxText = 32 << 20

// mediaType tells what a file is by how it begins, whatever its name says. It returns "" for what is not taken.
func mediaType(head []byte) string {
	// A PDF's header may stand anywhere in the first 1,024 bytes (ISO 32000-1, implementation note 13), but signatures
	// and archives count from the first byte: we take it there alone.
	switch {
	case bytes.HasPrefix(head, []byte("%PDF-")):
		return mediaPDF
	case bytes.HasPrefix(head, []byte("\xff\xd8\xff")):
		return mediaJPEG
	case bytes.HasPrefix(head, []byte("\x89PNG\r\n\x1a\n")):
		return mediaPNG
	case bytes.HasPrefix(head, []byte("II*\x00")), bytes.HasPrefix(head, []byte("MM\x00*")):
		return mediaTIFF
	}
	text := bytes.TrimLeft(bytes.TrimPrefix(head, []byte("\xef\xbb\xbf")), " \t\r\n")
	switch {
	case bytes.HasPrefix(text, []byte("{")), bytes.HasPrefix(text, []byte("[")):
		return mediaJSON
	case bytes.HasPrefix(text, []byte("<?xml")):
		return mediaXML
	}
	return ""
}

// inspect refuses a file that is damaged, encrypted or cut off, reading it by range. Its errors wrap [ErrInvalid], or are
// failures to read.
func inspect(media string, r io.ReaderAt, size int64) error {
	src := &noticing{r: r}
	var err error
	switch media {
	case mediaPDF:
		_, err = pdf.Check(src, size)
		switch {
		case errors.Is(err, pdf.ErrEncrypted):
			err = ErrEncryptedPDF
		case errors.Is(err, pdf.ErrUnsupported):
			err = fmt.Errorf("%w: %w", ErrUnsupportedPDF, err)
		case err != nil:
			err = fmt.Errorf("%w: %w", ErrDamaged, err)
		}
	case mediaJPEG:
		err = damaged(inspectJPEG(src, size))
	case mediaPNG:
		err = damaged(inspectPNG(src, size))
	case mediaTIFF:
		_, err = tiff.DecodeConfig(io.NewSectionReader(src, 0, size))
		err = damaged(err)
	case mediaXML, mediaJSON:
		if size > maxText {
			return fmt.Errorf("%w: XML and JSON files have up to %d bytes", ErrTooLarge, maxText)
		}
		text := bufio.NewReaderSize(io.NewSectionReader(src, 0, size), 64<<10)
		if media == mediaXML {
			err = damaged(inspectXML(text))
		} else {
			err = damaged(inspectJSON(text))
		}
	}
	// A store that fails while a file is inspected must not be blamed on the file.
	if src.err != nil {
		return fmt.Errorf("reading back a deposit: %w", src.err)
	}
	return err
}

func damaged(err error) error {
	if err == nil {
		return nil
	}
	return fmt.Errorf("%w: %w", ErrDamaged, err)
}

// noticing remembers a failure of the storage below a parser.
type noticing struct {
	r   io.ReaderAt
	err error
}

func (n *noticing) ReadAt(p []byte, off int64) (int, error) {
	k, err := n.r.ReadAt(p, off)
	if err != nil && !errors.Is(err, io.EOF) {
		n.err = err
	}
	return k, err
}

// inspectJPEG checks the header and that the image ends with its end marker, after which scanners may add padding.
func inspectJPEG(r io.ReaderAt, size int64) error {
	if _, err := jpeg.DecodeConfig(io.NewSectionReader(r, 0, size)); err != nil {
		return err
	}
	tail := make([]byte, min(size, 64<<10))
	if _, err := r.ReadAt(tail, size-int64(len(tail))); err != nil && !errors.Is(err, io.EOF) {
		return err
	}
	if !bytes.Contains(tail, []byte("\xff\xd9")) {
		return errors.New("the image is cut off")
	}
	return nil
}

// inspectPNG checks the header and walks the chunks to the last one.
func inspectPNG(r io.ReaderAt, size int64) error {
	if _, err := png.DecodeConfig(io.NewSectionReader(r, 0, size)); err != nil {
		return err
	}
	var head [8]byte
	for off := int64(8); ; {
		if _, err := r.ReadAt(head[:], off); err != nil {
			return errors.New("the image is cut off")
		}
		off += 12 + int64(binary.BigEndian.Uint32(head[:4]))
		if string(head[4:]) == "IEND" {
			if off > size {
				return errors.New("the image is cut off")
			}
			return nil
		}
	}
}

func inspectXML(r io.Reader) error {
	d := xml.NewDecoder(r)
	d.CharsetReader = func(charset string, input io.Reader) (io.Reader, error) {
		if strings.EqualFold(charset, "us-ascii") {
			return input, nil
		}
		return nil, errors.New("the XML is not in UTF-8")
	}
	elements := 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if elements == 0 {
				return errors.New("the XML has no element")
			}
			return nil
		}
		if err != nil {
			return errors.New("the XML is not well formed")
		}
		if _, ok := t.(xml.StartElement); ok {
			elements++
		}
	}
}

func inspectJSON(r io.Reader) error {
	d := json.NewDecoder(r)
	depth, tokens := 0, 0
	for {
		t, err := d.Token()
		if errors.Is(err, io.EOF) {
			if depth > 0 || tokens == 0 { // the decoder takes the end of the stream for the end of the text
				return errors.New("the JSON is cut off")
			}
			return nil
		}
		if err != nil {
			return errors.New("the JSON is not well formed")
		}
		tokens++
		switch t {
		case json.Delim('{'), json.Delim('['):
			depth++
		case json.Delim('}'), json.Delim(']'):
			depth--
		}
	}
}
