package trillianlog

import (
	"context"
	"fmt"
	"sync/atomic"
	"testing"

	"trien/ledger"
)

// BenchmarkDeposit is one entry appended, waited for and verified; by the number of callers at once.
func BenchmarkDeposit(b *testing.B) {
	for _, callers := range []int{1, 16, 64, 256} {
		b.Run(fmt.Sprintf("callers=%d", callers), func(b *testing.B) {
			l := startLog(b, testConfig(newDatabase(b)))
			var n atomic.Int64
			b.SetParallelism(callers / 2)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					e := entry(int(n.Add(1)))
					if err := l.Append(context.Background(), []ledger.Entry{e}); err != nil {
						b.Error(err)
						return
					}
					if _, err := l.Await(context.Background(), e); err != nil {
						b.Error(err)
						return
					}
				}
			})
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "entries/s")
		})
	}
}

// BenchmarkAppend256 is a call of 256 entries, by 4 callers; the log integrates and signs meanwhile.
func BenchmarkAppend256(b *testing.B) {
	l := startLog(b, testConfig(newDatabase(b)))
	var n atomic.Int64
	b.SetParallelism(2)
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			at := int(n.Add(256))
			list := entries(at, at+256)
			if err := l.Append(context.Background(), list); err != nil {
				b.Error(err)
				return
			}
		}
	})
	last := int(n.Load())
	if last > 0 {
		awaitOne(b, l.Log, entry(last))
	}
	b.ReportMetric(256*float64(b.N)/b.Elapsed().Seconds(), "entries/s")
}
