package main

import (
	"context"
	"fmt"
	"log/slog"

	"trien/ledger/trillianlog"
	"trien/ledger/witness"
)

// cosigner asks the witnesses of a log; nil where there are none.
func cosigner(ctx context.Context, c trillianlog.Config, witnesses []byte, logger *slog.Logger) (trillianlog.Cosigner, error) {
	if witnesses == nil {
		return nil, nil
	}
	policy, err := logPolicy(ctx, c, witnesses)
	if err != nil {
		return nil, err
	}
	w, err := witness.New(witness.Config{Policy: policy, Logger: logger})
	if err != nil {
		return nil, fmt.Errorf("%w: ledger.witnesses_file: %w", errConfig, err)
	}
	return w, nil
}
