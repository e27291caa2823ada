package main

import (
	"bytes"
	"fmt"
	"strings"

	"trien/ledger/audit"
)

// writeMetrics replaces the file for Prometheus' textfile collector. v is the visit that has just ended, known the last one that saw a
// checkpoint: where the log cannot be reached its size stays, and its age grows.
func (o *logOptions) writeMetrics(v, known visited) error {
	if o.metrics == "" {
		return nil
	}
	if err := audit.WriteFile(o.metrics, metricsText(o.Policy.Origin(), v, known)); err != nil {
		return fmt.Errorf("writing metrics: %w", err)
	}
	return nil
}

var labelEscapes = strings.NewReplacer(`\`, `\\`, `"`, `\"`, "\n", `\n`)

func metricsText(origin string, v, known visited) []byte {
	var b bytes.Buffer
	label := `log="` + labelEscapes.Replace(origin) + `"`
	gauge := func(name, help string, value any) {
		fmt.Fprintf(&b, "# HELP %s %s\n# TYPE %s gauge\n%s{%s} %v\n", name, help, name, name, label, value)
	}
	truth := map[bool]int{true: 1}
	gauge("trien_log_check_time_seconds", "When the log was last visited.", v.at.Unix())
	gauge("trien_log_ok", "Whether the last visit found all well.", truth[v.outcome == audit.Passed])
	gauge("trien_log_consistent", "0 once something was shown that an honest log never shows.", truth[v.outcome != audit.Failed])
	checkpoint := known.Checkpoint
	if checkpoint == nil {
		checkpoint = v.Previous
	}
	if checkpoint != nil {
		gauge("trien_log_size", "Leaves of the newest checkpoint that was seen.", checkpoint.Size)
		gauge("trien_log_witnesses", "Witnesses that co-signed it.", len(checkpoint.Witnessed))
	}
	if !known.Newest.IsZero() {
		gauge("trien_log_checkpoint_age_seconds", "How old the newest time on it was at the last visit.", max(0, int64(v.at.Sub(known.Newest).Seconds())))
	}
	if v.code != "" {
		label += `,kind="` + v.code + `"`
		gauge("trien_log_last_error", "Why the last visit did not find all well.", 1)
	}
	return b.Bytes()
}
