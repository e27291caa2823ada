package ledger

import (
	"crypto/hmac"
	"crypto/sha256"
	"fmt"
	"strings"
)

// commitment is a leaf that commits to a text without showing it:
// "<format>\n<register>\n<base64 HMAC-SHA-256(salt, text)>\n".
func commitment(format, register string, s Salt, text []byte) Leaf {
	mac := hmac.New(sha256.New, s[:])
	mac.Write(text)
	return Leaf(fmt.Sprintf("%s\n%s\n%s\n", format, register, Hash(mac.Sum(nil)).base64()))
}

func parseCommitment(format string, l Leaf) (register string, committed Hash, err error) {
	lines := strings.Split(string(l), "\n")
	if len(lines) != 4 || lines[0] != format || lines[3] != "" || !validRegister(lines[1]) {
		return "", Hash{}, fmt.Errorf("%w: leaf is not a %s", ErrMalformed, format)
	}
	committed, err = decodeHashBase64(lines[2])
	if err != nil {
		return "", Hash{}, err
	}
	return lines[1], committed, nil
}
