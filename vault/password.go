package vault

import (
	"crypto/rand"
	"crypto/subtle"
	"encoding/base64"
	"fmt"
	"strings"
	"unicode"

	"golang.org/x/crypto/argon2"
)

// Cost of a password hash: argon2id, 32 MiB, two passes, one lane (RFC 9106's parameters for servers with less memory,
// scaled to one lane). It is written in every hash, so that it can change without breaking old ones.
const (
	argonTime   = 2
	argonMemory = 32 << 10 // KiB
	argonLanes  = 1
	argonKey    = 32
	minPassword = 12
)

// hashing bounds how many hashes are computed at once, and with it their memory.
var hashing = make(chan struct{}, 4)

var b64 = base64.RawStdEncoding.Strict()

// newPassword checks a password that somebody is to have from now on, and hashes it. Errors: [ErrPasswordWeak], [ErrPasswordOwn], [ErrPasswordBreached].
func (v *Vault) newPassword(password, login, name string) (PasswordHash, error) {
	if len([]rune(password)) < minPassword {
		return "", ErrPasswordWeak
	}
	for _, own := range []string{login, name} {
		if own = squeezed(own); len(own) >= minOwn && strings.Contains(squeezed(password), own) {
			return "", ErrPasswordOwn
		}
	}
	if v.breached != nil {
		in, err := v.breached.Contains(password)
		if err != nil {
			return "", fmt.Errorf("looking for a password: %w", err)
		}
		if in {
			return "", ErrPasswordBreached
		}
	}
	return hashPassword(password), nil
}

// minOwn is the length from which a login or a name in a password gives it away; one that is shorter may be in there by chance.
const minOwn = 4

// squeezed is s without case, diacritics and whatever is neither letter nor digit.
func squeezed(s string) string {
	return strings.Map(func(r rune) rune {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			return r
		}
		return -1
	}, FoldName(s))
}

// hashPassword returns the PHC string of password.
func hashPassword(password string) PasswordHash {
	salt := make([]byte, 16)
	rand.Read(salt)
	return encodeHash(salt, argon(password, salt, argonTime, argonMemory, argonLanes))
}

func encodeHash(salt, key []byte) PasswordHash {
	return PasswordHash(fmt.Sprintf("$argon2id$v=%d$m=%d,t=%d,p=%d$%s$%s", argon2.Version, argonMemory, argonTime, argonLanes,
		b64.EncodeToString(salt), b64.EncodeToString(key)))
}

func argon(password string, salt []byte, time, memory uint32, lanes uint8) []byte {
	hashing <- struct{}{}
	defer func() { <-hashing }()
	return argon2.IDKey([]byte(password), salt, time, memory, lanes, argonKey)
}

// matches reports whether password is the one that was hashed.
func (h PasswordHash) matches(password string) bool {
	parts := strings.Split(string(h), "$")
	if len(parts) != 6 || parts[1] != "argon2id" {
		return false
	}
	var version int
	var memory, time uint32
	var lanes uint8
	if _, err := fmt.Sscanf(parts[2], "v=%d", &version); err != nil || version != argon2.Version {
		return false
	}
	if _, err := fmt.Sscanf(parts[3], "m=%d,t=%d,p=%d", &memory, &time, &lanes); err != nil {
		return false
	}
	salt, err := b64.DecodeString(parts[4])
	if err != nil {
		return false
	}
	want, err := b64.DecodeString(parts[5])
	if err != nil {
		return false
	}
	return subtle.ConstantTimeCompare(argon(password, salt, time, memory, lanes), want) == 1
}
