package policy

import "testing"

// BenchmarkDecide answers the question of an ordinary read, of a refused one, and of one that a grant opens.
func BenchmarkDecide(b *testing.B) {
	e := engine(b)
	for _, name := range []string{"own", "elsewhere", "secret", "slip", "secret-no-mfa"} {
		b.Run(name, func(b *testing.B) {
			r := scopeOf(b, name).ask("staff", "disclose")
			b.ReportAllocs()
			for b.Loop() {
				e.Decide(r)
			}
			b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "decisions/s")
		})
	}
}

func BenchmarkExplain(b *testing.B) {
	e := engine(b)
	r := scopeOf(b, "secret-bare").ask("staff", "disclose")
	for b.Loop() {
		e.Explain(r)
	}
}
