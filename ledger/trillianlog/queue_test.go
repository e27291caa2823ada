package trillianlog

import (
	"context"
	"testing"
	"time"

	"golang.org/x/sync/errgroup"
)

// TestQueueWithoutDeadlocks: entries that come one by one and many at once, while the log integrates. Trillian queues a single leaf by
// another statement than many, and the two took the locks of its tables in opposite orders: each time they met, everything stood
// still until PostgreSQL had noticed, a second later.
func TestQueueWithoutDeadlocks(t *testing.T) {
	database := newDatabase(t)
	nodes := []*running{startLog(t, testConfig(database)), startLog(t, testConfig(database))}
	const callers, calls = 8, 50
	appends, ctx := errgroup.WithContext(context.Background())
	for c := range callers {
		appends.Go(func() error {
			for i := range calls {
				first := (c*calls + i) * 4
				if err := nodes[c%2].Append(ctx, entries(first, first+1+(c+i)%2*3)); err != nil {
					return err
				}
			}
			return nil
		})
	}
	if err := appends.Wait(); err != nil {
		t.Fatal(err)
	}
	awaitOne(t, nodes[0].Log, entry((callers*calls-1)*4))
	time.Sleep(1500 * time.Millisecond) // the counters come with a delay
	if n := queryOne[int64](t, database, `SELECT deadlocks FROM pg_stat_database WHERE datname = current_database()`); n > 0 {
		t.Errorf("%d deadlocks", n)
	}
}
