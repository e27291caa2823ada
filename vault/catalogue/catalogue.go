package catalogue

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"
)

// File is one register's file, byte for byte.
type File struct {
	Register Register
	Version  int
	Text     []byte
}

// Sum is the SHA-256 of the file's bytes. They are their own canonical form: a comment counts.
func (f File) Sum() [32]byte { return sha256.Sum256(f.Text) }

// Catalogue is a set of registers that was checked whole. It never changes and may be shared; what it returns is not to be changed.
type Catalogue struct {
	registers []RegisterInfo // the six in the order of the regulation, then others by their codes
	files     []File         // in the same order
}

// Registers lists them: the six in the order of the regulation, then others by their codes.
func (c *Catalogue) Registers() []RegisterInfo { return slices.Clone(c.registers) }

// Codes lists the registers' codes in the same order.
func (c *Catalogue) Codes() []Register {
	codes := make([]Register, len(c.registers))
	for i, r := range c.registers {
		codes[i] = r.Register
	}
	return codes
}

// Register returns what is known of a register, and whether there is one.
func (c *Catalogue) Register(r Register) (RegisterInfo, bool) {
	for _, info := range c.registers {
		if info.Register == r {
			return info, true
		}
	}
	return RegisterInfo{}, false
}

// Kind returns what is known of a kind of a register's records.
func (c *Catalogue) Kind(r Register, k Kind) (KindInfo, bool) {
	info, _ := c.Register(r)
	return info.Kind(k)
}

// Chain returns by which steps a record of the kind becomes official on the event.
func (c *Catalogue) Chain(r Register, e Event, k Kind) (Chain, bool) {
	info, _ := c.Register(r)
	return info.Chain(e, k)
}

// Files returns the files that the catalogue was read from, in the order of [Catalogue.Registers].
func (c *Catalogue) Files() []File { return slices.Clone(c.files) }

// Format is the first line of [Catalogue.Text].
const Format = "trien/catalogue/v1"

// Text names the catalogue's files: a line with the format, then for each register "code version sha256", sorted by code, each line
// ending in a newline. Whoever has the files can make it again.
func (c *Catalogue) Text() []byte {
	files := slices.Clone(c.files)
	slices.SortFunc(files, func(a, b File) int { return strings.Compare(string(a.Register), string(b.Register)) })
	text := Format + "\n"
	for _, f := range files {
		text += fmt.Sprintf("%s %d %x\n", f.Register, f.Version, f.Sum())
	}
	return []byte(text)
}

// Sum is the SHA-256 of [Catalogue.Text]: it changes whenever any file does.
func (c *Catalogue) Sum() [32]byte { return sha256.Sum256(c.Text()) }
