package vault

import (
	"context"
	"fmt"
	"log/slog"
	"sync"
	"time"
)

// Run publishes pending entries, batches access events and sweeps until ctx ends. It returns when all of its work has stopped.
func (v *Vault) Run(ctx context.Context) error {
	var work sync.WaitGroup
	for range publishers {
		work.Go(func() { v.publishLoop(ctx) })
	}
	work.Go(func() { v.batchLoop(ctx) })
	if v.accessLog != nil {
		work.Go(func() { v.logBatches(ctx) })
	}
	work.Go(func() { v.sweepLoop(ctx) })
	work.Wait()
	return ctx.Err()
}

func (v *Vault) sweepLoop(ctx context.Context) {
	tick := time.NewTicker(v.limits.UploadGrace / 2)
	defer tick.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-tick.C:
		}
		swept, err := v.Sweep(ctx)
		if err != nil && ctx.Err() == nil {
			v.logger.ErrorContext(ctx, "sweeping failed", slog.Any("error", err))
		}
		if swept != (Swept{}) {
			v.logger.InfoContext(ctx, "swept", slog.Int("uploads", swept.Uploads), slog.Int("objects", swept.Objects),
				slog.Int("multiparts", swept.Multiparts))
		}
	}
}

// Swept says what a sweep removed: staged uploads and overdue jobs, objects, unfinished multipart uploads.
type Swept struct{ Uploads, Objects, Multiparts int }

// Sweep removes what abandoned uploads left. It never deletes an object that no row knows: after a restore of an older
// database those are the newer documents.
func (v *Vault) Sweep(ctx context.Context) (Swept, error) {
	var swept Swept
	var err error
	now := v.now()
	// Abandon *before* deleting, so that a late commit fails cleanly instead of pointing at nothing.
	if swept.Uploads, err = v.store.ExpireUploads(ctx, now.Add(-v.limits.UploadGrace), now); err != nil {
		return swept, fmt.Errorf("expiring uploads: %w", err)
	}
	if err = v.store.ForgetTries(ctx, now.Add(-forgetTries), now.Add(-forgetPlaces)); err != nil {
		return swept, fmt.Errorf("forgetting failed sign-ins: %w", err)
	}
	for more := true; more; {
		var n int
		n, err = v.sweepGarbage(ctx)
		swept.Objects += n
		if err != nil {
			return swept, err
		}
		more = n == sweepBatch
	}
	if swept.Multiparts, err = v.objects.AbortStale(ctx, now.Add(-longestUpload)); err != nil {
		return swept, fmt.Errorf("ending unfinished multipart uploads: %w", err)
	}
	return swept, nil
}

const (
	sweepBatch = 500
	// longestUpload is the age at which a multipart upload cannot be running any more.
	longestUpload = 48 * time.Hour
)

// sweepGarbage deletes a batch of objects that nothing refers to any more.
func (v *Vault) sweepGarbage(ctx context.Context) (int, error) {
	keys, err := v.store.Garbage(ctx, sweepBatch)
	if err != nil {
		return 0, fmt.Errorf("listing garbage: %w", err)
	}
	for _, key := range keys {
		if err := v.objects.Delete(ctx, key); err != nil {
			return 0, fmt.Errorf("deleting garbage: %w", err)
		}
	}
	if err := v.store.ForgetGarbage(ctx, keys); err != nil {
		return 0, fmt.Errorf("forgetting garbage: %w", err)
	}
	return len(keys), nil
}
