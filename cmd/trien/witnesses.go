package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"trien/ledger"
	"trien/ledger/trillianlog"
	"trien/ledger/witness"
)

// witnesses reads who co-signs the checkpoints of both logs, and by which authority they are dialled.
func (r *fileReader) witnesses(s *logSettings, name, roots string) {
	const key, rootsKey = "ledger.witnesses_file", "ledger.witnesses_ca_file"
	if name == "" {
		if roots != "" {
			r.fail(rootsKey, errors.New("it is set and "+key+" is not: there is nobody to dial"))
		}
		return
	}
	s.witnesses = r.file(key, name)
	if roots != "" {
		s.witnessRoots = r.roots(rootsKey, roots)
	}
	if r.err != nil {
		return
	}
	p, err := ledger.ParsePolicy(fmt.Appendf(nil, "log %s\n%s", s.records.VerifierKey, s.witnesses))
	if err != nil {
		r.fail(key, fmt.Errorf("below a line for the log: %w", err))
		return
	}
	for _, w := range p.Witnesses() {
		if w.URL == "" {
			r.fail(key, fmt.Errorf("witness %s has no URL, so nobody can ask it: write it at the end of its line", w.Name))
		}
	}
}

// cosigner asks the witnesses of a log; nil where there are none.
func (s logSettings) cosigner(ctx context.Context, c trillianlog.Config, logger *slog.Logger) (trillianlog.Cosigner, error) {
	if s.witnesses == nil {
		return nil, nil
	}
	policy, err := logPolicy(ctx, c, s.witnesses)
	if err != nil {
		return nil, err
	}
	w, err := witness.New(witness.Config{Policy: policy, Roots: s.witnessRoots, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("%w: ledger.witnesses_file: %w", errConfig, err)
	}
	return w, nil
}
