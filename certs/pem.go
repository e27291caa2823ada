package certs

import (
	"bytes"
	"crypto/x509"
	"encoding/pem"
	"fmt"
	"strings"
)

// maxPEM bounds a file of certificates: anchors and chains are a few kilobytes each.
const maxPEM = 4 << 20

// ParseCertificates reads one or more PEM certificates. Between them only empty lines and comments (lines that start with #) may stand,
// so that a damaged file is refused rather than read as a shorter list. Errors wrap ErrMalformed and name the line.
func ParseCertificates(data []byte) ([]*x509.Certificate, error) {
	var list []*x509.Certificate
	err := readPEM(data, func(int, string) error { return nil }, func(_ int, c *x509.Certificate) error {
		list = append(list, c)
		return nil
	})
	return list, err
}

// readPEM walks over a file of certificates and comments. It hands over the text of each comment without its #, and each certificate, with the
// line at which it starts; what they return ends the walk. Errors wrap ErrMalformed.
func readPEM(data []byte, comment func(line int, text string) error, certificate func(line int, c *x509.Certificate) error) error {
	if len(data) > maxPEM {
		return fmt.Errorf("%w: more than %d bytes of PEM", ErrMalformed, maxPEM)
	}
	count := 0
	for line := 1; len(data) > 0; line++ {
		row, after, _ := bytes.Cut(data, []byte("\n"))
		text := strings.TrimSpace(string(row))
		switch {
		case text == "":
		case strings.HasPrefix(text, "#"):
			if err := comment(line, text[1:]); err != nil {
				return err
			}
		case strings.HasPrefix(text, "-----BEGIN"):
			block, lines, err := cutBlock(data)
			if err != nil {
				return fmt.Errorf("%w: line %d: %w", ErrMalformed, line, err)
			}
			c, err := parseBlock(block)
			if err != nil {
				return fmt.Errorf("%w: line %d: %w", ErrMalformed, line, err)
			}
			if err := certificate(line, c); err != nil {
				return err
			}
			count++
			after = data[len(block):]
			line += lines - 1
		default:
			return fmt.Errorf("%w: line %d: text between certificates", ErrMalformed, line)
		}
		data = after
	}
	if count == 0 {
		return fmt.Errorf("%w: no certificate", ErrMalformed)
	}
	return nil
}

// cutBlock returns the armour that data starts with, and how many lines it has. pem.Decode skips what it cannot read: here each block must be whole.
func cutBlock(data []byte) (block []byte, lines int, err error) {
	rest := data
	for len(rest) > 0 {
		row, after, _ := bytes.Cut(rest, []byte("\n"))
		rest = after
		lines++
		switch {
		case lines > 1 && bytes.Contains(row, []byte("-----BEGIN")):
			return nil, 0, fmt.Errorf("PEM block is damaged: another one starts inside it")
		case bytes.HasPrefix(row, []byte("-----END")):
			return data[:len(data)-len(rest)], lines, nil
		}
	}
	return nil, 0, fmt.Errorf("PEM block does not end")
}

func parseBlock(armour []byte) (*x509.Certificate, error) {
	block, rest := pem.Decode(armour)
	if block == nil || len(bytes.TrimSpace(rest)) > 0 {
		return nil, fmt.Errorf("PEM block is damaged")
	}
	if block.Type != "CERTIFICATE" || len(block.Headers) != 0 {
		return nil, fmt.Errorf("PEM block is no certificate")
	}
	c, err := x509.ParseCertificate(block.Bytes)
	if err != nil {
		return nil, fmt.Errorf("certificate: %w", err)
	}
	return c, nil
}
