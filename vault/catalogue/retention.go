package catalogue

import (
	"regexp"
	"strconv"
	"strings"
)

// Retention says how long records of a kind are kept: "permanent", or years such as "20y", counted from the end of the year in which
// the dossier was closed.
type Retention string

// Permanent keeps for ever.
const Permanent Retention = "permanent"

var retentionForm = regexp.MustCompile(`^[1-9][0-9]{0,2}y$`)

func (r Retention) valid() bool { return r == Permanent || retentionForm.MatchString(string(r)) }

// Years is how many, and false if for ever.
func (r Retention) Years() (int, bool) {
	n, err := strconv.Atoi(strings.TrimSuffix(string(r), "y"))
	return n, err == nil && r.valid()
}
