//go:build soak

package trillianlog

import "testing"

// As many leaves as it takes for tiles of three levels.
func TestSoakStrangersJudgeTheCopy(t *testing.T) {
	strangersJudge(t, publishFolder(t, 1, 300, 65_536, 99_999, 100_000))
}
