package main

import (
	"context"
	"errors"
	"fmt"
	"log/slog"

	"trien/ledger/trillianlog"
)

// cosigner asks the witnesses of a log; nil where there are none.
func cosigner(_ context.Context, _ trillianlog.Config, witnesses []byte, _ *slog.Logger) (trillianlog.Cosigner, error) {
	if witnesses == nil {
		return nil, nil
	}
	return nil, fmt.Errorf("%w: ledger.witnesses_file: %w", errConfig, errors.New("witnesses are not asked yet"))
}
