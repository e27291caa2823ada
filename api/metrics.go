package api

import (
	"context"
	"log/slog"
	"net/http"
	"strconv"
	"time"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/client_golang/prometheus/collectors"
	"github.com/prometheus/client_golang/prometheus/promhttp"
)

// metrics of one server, in a registry of its own. Labels take few values: route templates, methods, statuses, codes.
type metrics struct {
	registry  *prometheus.Registry
	requests  *prometheus.CounterVec
	durations *prometheus.HistogramVec
	deposits  *prometheus.CounterVec
	taken     prometheus.Counter
	given     prometheus.Counter
	signIns   *prometheus.CounterVec
}

func newMetrics(v health, version string, log *slog.Logger) *metrics {
	m := &metrics{
		registry: prometheus.NewRegistry(),
		requests: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trien_http_requests_total", Help: "Requests answered."}, []string{"route", "method", "status"}),
		durations: prometheus.NewHistogramVec(prometheus.HistogramOpts{
			Name: "trien_http_request_duration_seconds", Help: "Time from request to the end of its answer.",
			Buckets: []float64{.005, .02, .1, .5, 2, 10, 60, 600}}, []string{"route", "method"}),
		deposits: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trien_deposits_total", Help: "Deposits by what became of them: done, or the code of the refusal."}, []string{"outcome"}),
		taken: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trien_deposited_bytes_total", Help: "Bytes of documents deposited."}),
		given: prometheus.NewCounter(prometheus.CounterOpts{
			Name: "trien_disclosed_bytes_total", Help: "Bytes of documents and exports sent out."}),
		signIns: prometheus.NewCounterVec(prometheus.CounterOpts{
			Name: "trien_sign_in_failures_total", Help: "Sign-ins refused, by code."}, []string{"code"}),
	}
	build := prometheus.NewGaugeVec(prometheus.GaugeOpts{Name: "trien_build_info", Help: "Version of the program."}, []string{"version"})
	build.WithLabelValues(version).Set(1)
	m.registry.MustRegister(m.requests, m.durations, m.deposits, m.taken, m.given, m.signIns, build,
		collectors.NewGoCollector(), collectors.NewProcessCollector(collectors.ProcessCollectorOpts{}), &backlog{v, log}, &expiries{v, log})
	return m
}

func (m *metrics) handler() http.Handler {
	return promhttp.HandlerFor(m.registry, promhttp.HandlerOpts{ErrorHandling: promhttp.ContinueOnError})
}

func (m *metrics) request(route, method string, status int, took time.Duration) {
	method = knownMethod(method)
	m.requests.WithLabelValues(route, method, strconv.Itoa(status)).Inc()
	m.durations.WithLabelValues(route, method).Observe(took.Seconds())
}

func (m *metrics) deposit(size int64, err error) {
	if err != nil {
		k, _ := kindOf(err)
		m.deposits.WithLabelValues(k.code).Inc()
		return
	}
	m.deposits.WithLabelValues("done").Inc()
	m.taken.Add(float64(size))
}

func (m *metrics) signInFailed(err error) {
	k, _ := kindOf(err)
	m.signIns.WithLabelValues(k.code).Inc()
}

// backlog asks the vault at each scrape what waits for the ledger.
type backlog struct {
	vault health
	log   *slog.Logger
}

var (
	pendingEntries = prometheus.NewDesc("trien_ledger_pending_entries", "Versions that wait for their receipt.", nil, nil)
	oldestPending  = prometheus.NewDesc("trien_ledger_oldest_pending_seconds", "How long the oldest of them has waited.", nil, nil)
	unloggedEvents = prometheus.NewDesc("trien_access_unlogged_events", "Access events that no receipt covers yet.", nil, nil)
	oldestUnlogged = prometheus.NewDesc("trien_access_oldest_unlogged_seconds", "How long the oldest of them has waited.", nil, nil)
)

func (b *backlog) Describe(ch chan<- *prometheus.Desc) {
	ch <- pendingEntries
	ch <- oldestPending
	ch <- unloggedEvents
	ch <- oldestUnlogged
}

func (b *backlog) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	stats, err := b.vault.Stats(ctx)
	if err != nil {
		b.log.WarnContext(ctx, "backlog cannot be measured", slog.Any("error", err))
		return
	}
	ch <- prometheus.MustNewConstMetric(pendingEntries, prometheus.GaugeValue, float64(stats.Pending))
	ch <- prometheus.MustNewConstMetric(oldestPending, prometheus.GaugeValue, stats.OldestPending.Seconds())
	ch <- prometheus.MustNewConstMetric(unloggedEvents, prometheus.GaugeValue, float64(stats.Unlogged))
	ch <- prometheus.MustNewConstMetric(oldestUnlogged, prometheus.GaugeValue, stats.OldestUnlogged.Seconds())
}
