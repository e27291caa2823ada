package api

import (
	"context"
	"log/slog"
	"time"

	"github.com/prometheus/client_golang/prometheus"

	"trien/certs"
	"trien/vault"
)

// expiries asks the vault at each scrape which certificates end. Labels say what a certificate is for, never whose it is.
type expiries struct {
	vault health
	log   *slog.Logger
}

var (
	certificateExpiry = prometheus.NewDesc("trien_certificate_expiry_seconds",
		"Time until the first certificate of a kind ends: negative, it has; the time-stamp authority's is known once this process has signed.",
		[]string{"what"}, nil)
	certificateWarnings = prometheus.NewDesc("trien_certificate_warnings",
		"Certificates of a kind that end within 90, 30 or 7 days, have ended, or have not begun; each in one row.", []string{"what", "code"}, nil)
)

func (e *expiries) Describe(ch chan<- *prometheus.Desc) {
	ch <- certificateExpiry
	ch <- certificateWarnings
}

func (e *expiries) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	x, err := e.vault.Expiry(ctx)
	if err != nil {
		e.log.WarnContext(ctx, "certificates cannot be looked at", slog.Any("error", err))
		return
	}
	for what, ends := range x.Ends {
		ch <- prometheus.MustNewConstMetric(certificateExpiry, prometheus.GaugeValue, time.Until(ends).Seconds(), what)
	}
	count := map[[2]string]int{}
	for _, w := range x.Warnings {
		count[[2]string{w.Name, string(w.Code)}]++
	}
	for _, what := range vault.CertificateKinds() {
		for _, code := range certs.ExpiryCodes() {
			n := count[[2]string{what, string(code)}]
			ch <- prometheus.MustNewConstMetric(certificateWarnings, prometheus.GaugeValue, float64(n), what, string(code))
		}
	}
}
