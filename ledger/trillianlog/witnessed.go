package trillianlog

import (
	"time"

	"trien/ledger"
)

// openUnwitnessed judges what the log itself has signed.
func openUnwitnessed(p *ledger.Policy, signed []byte) (ledger.Checkpoint, error) {
	return p.OpenCheckpoint(signed)
}

// timeOf is the log's own time line.
func timeOf(ledger.Checkpoint) time.Time { return time.Time{} }

// signTime adds the time line.
func (l *Log) signTime(signed []byte, _ time.Time) ([]byte, error) { return signed, nil }
