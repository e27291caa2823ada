package objects

import (
	"testing"
	"time"

	"trien/deploy/standalone/standalonetest"
)

// behindLine is a store whose requests go over a line.
func behindLine(t *testing.T) (*Store, *standalonetest.Line) {
	t.Helper()
	c := testConfig(t)
	l := standalonetest.NewLine(t, c.Socket)
	c.Endpoint, c.Socket = l.Address(), ""
	s, err := Open(t.Context(), c)
	if err != nil {
		t.Fatal(err)
	}
	s.pause = time.Millisecond
	return s, l
}
