package envelope

import (
	"bytes"
	"crypto/sha256"
	"crypto/subtle"
	"encoding/base64"
	"encoding/binary"
	"encoding/hex"
	"fmt"
	"io"
	"strconv"
	"strings"
	"time"

	"golang.org/x/crypto/argon2"
)

// The keyring file; FORMAT.md has its lines.
const (
	keyringTitle   = "trien-keyring v1"
	maxKeyringSize = 1 << 20

	// RFC 9106, second recommended option.
	argonTime    = 3
	argonMemory  = 64 << 10 // KiB
	argonThreads = 4

	// What a file may ask of us: more would be an attack on the machine, less on the passphrase.
	maxArgonTime    = 16
	minArgonMemory  = 8 << 10
	maxArgonMemory  = 1 << 20
	maxArgonThreads = 16

	keyringSaltSize = 16
	checkSize       = 32
	kekRecordSize   = 4 + 8 + keySize

	checkInfo = "trien/envelope/keyring/v1 check"
)

type argonParams struct {
	time, memory uint32
	threads      uint8
	salt         [keyringSaltSize]byte
}

func (p argonParams) String() string {
	return fmt.Sprintf("argon2id t=%d m=%d p=%d salt=%s", p.time, p.memory, p.threads, b64.EncodeToString(p.salt[:]))
}

func (p argonParams) stretch(passphrase []byte) DataKey {
	return DataKey(argon2.IDKey(passphrase, p.salt[:], p.time, p.memory, p.threads, keySize))
}

// keyringFile is the file as it stands, not opened yet.
type keyringFile struct {
	params argonParams
	check  [checkSize]byte // tells another passphrase from a damaged box
	box    []byte
}

var b64 = base64.RawStdEncoding.Strict()

// head is what the box is bound to.
func (f keyringFile) head() []byte {
	return fmt.Appendf(nil, "%s\nkdf %s\ncheck %s\n", keyringTitle, f.params, b64.EncodeToString(f.check[:]))
}

func (f keyringFile) bytes() []byte {
	b := fmt.Appendf(f.head(), "keys %s\n", b64.EncodeToString(f.box))
	return fmt.Appendf(b, "sha256 %x\n", sha256.Sum256(b))
}

func encodeKeyring(passphrase []byte, keys []kek) ([]byte, error) {
	f := keyringFile{params: argonParams{time: argonTime, memory: argonMemory, threads: argonThreads}}
	fill(f.params.salt[:])
	stretched := f.params.stretch(passphrase)
	check, err := stretched.derive(f.params.salt[:], []byte(checkInfo), checkSize)
	if err != nil {
		return nil, err
	}
	f.check = [checkSize]byte(check)
	f.box = SealBytes(stretched, encodeKEKs(keys), f.head())
	return f.bytes(), nil
}

func (f keyringFile) open(passphrase []byte) ([]kek, error) {
	stretched := f.params.stretch(passphrase)
	check, err := stretched.derive(f.params.salt[:], []byte(checkInfo), checkSize)
	if err != nil {
		return nil, err
	}
	if subtle.ConstantTimeCompare(check, f.check[:]) != 1 {
		return nil, ErrPassphrase
	}
	plain, err := OpenBytes(stretched, f.box, f.head())
	if err != nil {
		return nil, fmt.Errorf("opening the keys: %w", err)
	}
	return decodeKEKs(plain)
}

// parseKeyring reads the one way of writing a keyring and checks it for damage. It does no costly work.
func parseKeyring(data []byte) (keyringFile, error) {
	var f keyringFile
	if !bytes.HasPrefix(data, []byte(keyringTitle+"\n")) {
		return f, fmt.Errorf("%w: not a keyring of this version", ErrMalformed)
	}
	lines := strings.Split(string(data), "\n")
	if len(lines) != 6 || lines[5] != "" {
		return f, fmt.Errorf("%w: a keyring has five lines", ErrMalformed)
	}
	var values [5]string
	for i, name := range []string{"", "kdf", "check", "keys", "sha256"} {
		value, ok := strings.CutPrefix(lines[i], name+" ")
		if i > 0 && !ok {
			return f, fmt.Errorf("%w: line %d is not %q", ErrMalformed, i+1, name)
		}
		values[i] = value
	}
	sum := sha256.Sum256(data[:len(data)-len(lines[4])-1])
	if values[4] != hex.EncodeToString(sum[:]) {
		return f, fmt.Errorf("%w: the file is damaged (its checksum differs)", ErrMalformed)
	}
	var err error
	if f.params, err = parseArgon(values[1]); err != nil {
		return f, err
	}
	check, err := b64.DecodeString(values[2])
	if err != nil || len(check) != checkSize {
		return f, fmt.Errorf("%w: line 3", ErrMalformed)
	}
	f.check = [checkSize]byte(check)
	if f.box, err = b64.DecodeString(values[3]); err != nil {
		return f, fmt.Errorf("%w: line 4", ErrMalformed)
	}
	if !bytes.Equal(f.bytes(), data) {
		return f, fmt.Errorf("%w: written in another way", ErrMalformed)
	}
	return f, nil
}

func parseArgon(s string) (argonParams, error) {
	var p argonParams
	fields := strings.Split(s, " ")
	if len(fields) != 5 || fields[0] != "argon2id" {
		return p, fmt.Errorf("%w: line 2 names no key derivation that we know", ErrMalformed)
	}
	var numbers [3]uint64
	for i, name := range []string{"t=", "m=", "p="} {
		value, ok := strings.CutPrefix(fields[i+1], name)
		n, err := strconv.ParseUint(value, 10, 32)
		if !ok || err != nil {
			return p, fmt.Errorf("%w: line 2, %s", ErrMalformed, name)
		}
		numbers[i] = n
	}
	if t, m, n := numbers[0], numbers[1], numbers[2]; t < 1 || t > maxArgonTime ||
		m < minArgonMemory || m > maxArgonMemory || n < 1 || n > maxArgonThreads {
		return p, fmt.Errorf("%w: line 2 asks for too little or too much work", ErrMalformed)
	}
	value, ok := strings.CutPrefix(fields[4], "salt=")
	salt, err := b64.DecodeString(value)
	if !ok || err != nil || len(salt) != keyringSaltSize {
		return p, fmt.Errorf("%w: line 2, salt=", ErrMalformed)
	}
	return argonParams{
		time: uint32(numbers[0]), memory: uint32(numbers[1]), threads: uint8(numbers[2]),
		salt: [keyringSaltSize]byte(salt),
	}, nil
}

func encodeKEKs(keys []kek) []byte {
	var b []byte
	for _, k := range keys {
		b = binary.BigEndian.AppendUint32(b, k.version)
		b = binary.BigEndian.AppendUint64(b, uint64(k.created.Unix()))
		b = append(b, k.key[:]...)
	}
	return b
}

func decodeKEKs(b []byte) ([]kek, error) {
	if len(b) == 0 || len(b)%kekRecordSize != 0 {
		return nil, fmt.Errorf("%w: the keys have a wrong length", ErrMalformed)
	}
	var keys []kek
	for ; len(b) > 0; b = b[kekRecordSize:] {
		k := kek{
			version: binary.BigEndian.Uint32(b),
			created: time.Unix(int64(binary.BigEndian.Uint64(b[4:])), 0).UTC(),
			key:     DataKey(b[12:kekRecordSize]),
		}
		if n := len(keys); n > 0 && k.version <= keys[n-1].version {
			return nil, fmt.Errorf("%w: the keys are out of order", ErrMalformed)
		}
		keys = append(keys, k)
	}
	return keys, nil
}

// readLimited reads at most limit bytes; a longer file is none of ours.
func readLimited(r io.Reader, limit int64) ([]byte, error) {
	b, err := io.ReadAll(io.LimitReader(r, limit+1))
	if err != nil {
		return nil, err
	}
	if int64(len(b)) > limit {
		return nil, fmt.Errorf("%w: too long for a keyring", ErrMalformed)
	}
	return b, nil
}
