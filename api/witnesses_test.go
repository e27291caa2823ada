package api

import (
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

func TestWitnessMetrics(t *testing.T) {
	registry := prometheus.NewRegistry()
	registry.MustRegister(&witnesses{map[string]func() []WitnessState{"records": func() []WitnessState {
		return []WitnessState{
			{Name: "w1", LastSuccess: time.Unix(1795426216, 0), Size: 12},
			{Name: "w2", LastError: "disputed", Failures: 3},
		}
	}}})
	answer := httptest.NewRecorder()
	promhttp.HandlerFor(registry, promhttp.HandlerOpts{}).ServeHTTP(answer, httptest.NewRequest(http.MethodGet, "/metrics", nil))
	body := answer.Body.String()
	for _, want := range []string{
		`trien_witness_last_success_timestamp_seconds{log="records",witness="w1"} 1.795426216e+09`,
		`trien_witness_size{log="records",witness="w1"} 12`, `trien_witness_failures_total{log="records",witness="w1"} 0`,
		`trien_witness_failing{kind="disputed",log="records",witness="w2"} 1`, `trien_witness_failures_total{log="records",witness="w2"} 3`,
	} {
		if !strings.Contains(body, want+"\n") {
			t.Errorf("metrics lack %s:\n%s", want, body)
		}
	}
	for _, none := range []string{`timestamp_seconds{log="records",witness="w2"}`, `trien_witness_failing{kind="",`, `failing{kind="disputed",log="records",witness="w1"}`} {
		if strings.Contains(body, none) {
			t.Errorf("metrics have %s", none)
		}
	}
}
