package trillianlog

import "trien/ledger/witness"

// Witnesses tells how each witness of the log does, as this node knows it; none if nobody is asked.
func (l *Log) Witnesses() []witness.Status {
	if c, tells := l.cosigner.(interface{ Status() []witness.Status }); tells {
		return c.Status()
	}
	return nil
}
