package main

import (
	"encoding/json"
	"fmt"
	"io"
	"math"
	"os"
	"path/filepath"
	"runtime"
	"strings"
	"text/tabwriter"
	"time"
)

// row is one result. Peer is the value of what it is compared with (a raw put, another signer) and Ratio ours to it, where there is one. Limit is the
// ratio that would be reached by who did only what nobody can leave out, measured in the same rounds.
type row struct {
	Name  string   `json:"name"`
	Value float64  `json:"value"`
	Unit  string   `json:"unit"`
	Peer  *float64 `json:"peer"`
	Ratio *float64 `json:"ratio"`
	Goal  string   `json:"goal"`
	Met   *bool    `json:"met"`
	Limit *float64 `json:"limit"`

	beyond bool // the goal is above the limit
}

// report is what out/bench.json holds.
type report struct {
	Version string    `json:"version"`
	Time    time.Time `json:"time"`
	Seconds float64   `json:"seconds"`
	Machine machine   `json:"machine"`
	Rows    []row     `json:"rows"`
}

type machine struct {
	Processors int     `json:"processors"`
	MemoryGB   float64 `json:"memory_gb"`
	Go         string  `json:"go"`
	Disk       string  `json:"disk"` // file system of the vault's folder
}

// against is a row with a peer: more is better.
func against(name, unit string, value, peer, goal float64) row {
	ratio := value / peer
	met := ratio >= goal
	value, peer, ratio = round(value), round(peer), round(ratio)
	return row{name, value, unit, &peer, &ratio, fmt.Sprintf("ratio ≥ %.2f", goal), &met, nil, false}
}

// within adds the limit to a row that has a goal: a limit below it says that nobody can meet the goal here.
func (r row) within(limit, goal float64) row {
	r.beyond = limit < goal
	limit = round(limit)
	r.Limit = &limit
	return r
}

// atMost is a row without peer: less is better.
func atMost(name, unit string, value, goal float64) row {
	met := value <= goal
	return row{name, round(value), unit, nil, nil, fmt.Sprintf("≤ %g %s", goal, unit), &met, nil, false}
}

// atLeast is a row without peer: more is better.
func atLeast(name, unit string, value, goal float64) row {
	met := value >= goal
	return row{name, round(value), unit, nil, nil, fmt.Sprintf("≥ %g %s", goal, unit), &met, nil, false}
}

// beside is a row with a peer and no goal.
func beside(name, unit string, value, peer float64) row {
	ratio := round(value / peer)
	value, peer = round(value), round(peer)
	return row{name, value, unit, &peer, &ratio, "", nil, nil, false}
}

// without is a row without peer or goal: to know it.
func without(name, unit string, value float64) row {
	return row{name, round(value), unit, nil, nil, "", nil, nil, false}
}

// round keeps three digits that mean something.
func round(v float64) float64 {
	if v == 0 || math.IsNaN(v) || math.IsInf(v, 0) {
		return 0
	}
	unit := math.Pow(10, math.Floor(math.Log10(math.Abs(v)))-2)
	r := math.Round(v/unit) * unit
	return math.Round(r*1e6) / 1e6
}

func (r report) print(w io.Writer) {
	t := tabwriter.NewWriter(w, 0, 0, 2, ' ', 0)
	fmt.Fprintln(t, "NAME\tVALUE\tPEER\tRATIO\tLIMIT\tGOAL\tMET")
	missed, beyond := 0, 0
	for _, row := range r.Rows {
		peer, ratio, limit, met := "–", "–", "–", "–"
		if row.Peer != nil {
			peer, ratio = fmt.Sprintf("%g %s", *row.Peer, row.Unit), fmt.Sprintf("%.2f", *row.Ratio)
		}
		if row.Limit != nil {
			limit = fmt.Sprintf("%.2f", *row.Limit)
		}
		if row.Met != nil {
			met = "yes"
			if !*row.Met {
				met = "NO"
				missed++
				if row.beyond {
					beyond++
				}
			}
		}
		fmt.Fprintf(t, "%s\t%g %s\t%s\t%s\t%s\t%s\t%s\n", row.Name, row.Value, row.Unit, peer, ratio, limit, row.Goal, met)
	}
	_ = t.Flush() // to the person's terminal
	fmt.Fprintf(w, "%d processors, %.0f GB memory, %s; %s; %.0f s. Medians of interleaved rounds.", r.Machine.Processors, r.Machine.MemoryGB, r.Machine.Disk, r.Machine.Go, r.Seconds)
	if missed > 0 {
		fmt.Fprintf(w, " %d goals were missed.", missed)
	}
	if beyond > 0 {
		fmt.Fprintf(w, " %d of them nobody can meet on this machine: LIMIT is the ratio of who only copies the file, hashes it, and asks the key (“least”).", beyond)
	}
	fmt.Fprintln(w)
}

// save leaves the whole file or the old one.
func (r report) save(path string) error {
	text, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return err
	}
	if err := os.WriteFile(path+".new", append(text, '\n'), 0o644); err != nil {
		return err
	}
	return os.Rename(path+".new", path)
}

func describeMachine(folder string) machine {
	m := machine{Processors: runtime.NumCPU(), Go: runtime.Version(), Disk: fileSystem(folder)}
	if info, err := os.ReadFile("/proc/meminfo"); err == nil {
		var kib float64
		if _, err := fmt.Sscanf(string(info), "MemTotal: %f kB", &kib); err == nil {
			m.MemoryGB = round(kib * 1024 / gb)
		}
	}
	return m
}

// fileSystem is the type of the mount that a folder lies in, "unknown" if the kernel does not tell.
func fileSystem(folder string) string {
	mounts, err := os.ReadFile("/proc/self/mounts")
	if err != nil {
		return "unknown"
	}
	longest, found := -1, "unknown"
	for line := range strings.Lines(string(mounts)) {
		fields := strings.Fields(line)
		if len(fields) < 3 || !strings.HasPrefix(folder+"/", strings.TrimSuffix(fields[1], "/")+"/") {
			continue
		}
		if len(fields[1]) > longest {
			longest, found = len(fields[1]), fields[2]
		}
	}
	return found
}
