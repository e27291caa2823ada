package api

import (
	"time"

	"github.com/prometheus/client_golang/prometheus"
)

// WitnessState is what this node knows of one witness of a log.
type WitnessState struct {
	Name        string    // in the log's policy
	LastSuccess time.Time // when it last co-signed for this node; zero: never
	LastError   string    // kind of its last failure; "": the last call went well
	Failures    uint64    // since the start
	Size        uint64    // of the tree that it co-signed last
}

// witnesses asks at each scrape how the witnesses of each log do. Labels are names of the configuration.
type witnesses struct {
	of map[string]func() []WitnessState
}

var (
	witnessSuccess = prometheus.NewDesc("trien_witness_last_success_timestamp_seconds", "When the witness last co-signed for this node.",
		[]string{"log", "witness"}, nil)
	witnessFailures = prometheus.NewDesc("trien_witness_failures_total", "Checkpoints that the witness did not co-sign.", []string{"log", "witness"}, nil)
	witnessFailing  = prometheus.NewDesc("trien_witness_failing", "1 if the witness did not co-sign the last checkpoint, and in what way.",
		[]string{"log", "witness", "kind"}, nil)
	witnessSize = prometheus.NewDesc("trien_witness_size", "Leaves of the tree that the witness co-signed last.", []string{"log", "witness"}, nil)
)

func (w *witnesses) Describe(ch chan<- *prometheus.Desc) {
	ch <- witnessSuccess
	ch <- witnessFailures
	ch <- witnessFailing
	ch <- witnessSize
}

func (w *witnesses) Collect(ch chan<- prometheus.Metric) {
	for log, ask := range w.of {
		for _, s := range ask() {
			ch <- prometheus.MustNewConstMetric(witnessFailures, prometheus.CounterValue, float64(s.Failures), log, s.Name)
			ch <- prometheus.MustNewConstMetric(witnessSize, prometheus.GaugeValue, float64(s.Size), log, s.Name)
			if !s.LastSuccess.IsZero() {
				ch <- prometheus.MustNewConstMetric(witnessSuccess, prometheus.GaugeValue, float64(s.LastSuccess.Unix()), log, s.Name)
			}
			if s.LastError != "" {
				ch <- prometheus.MustNewConstMetric(witnessFailing, prometheus.GaugeValue, 1, log, s.Name, s.LastError)
			}
		}
	}
}
