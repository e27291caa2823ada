package main

import (
	"io"
	"os"
	"path/filepath"
	"strconv"
	"syscall"
	"testing"
)

func BenchmarkOne(b *testing.B) {
	s := &signatureBench{folder: b.TempDir(), progress: io.Discard}
	if err := s.open(b.Context()); err != nil {
		b.Fatal(err)
	}
	defer s.close()
	size := int64(100 * kb)
	if v, err := strconv.Atoi(os.Getenv("SIZE")); err == nil {
		size = int64(v)
	}
	kind := keyEC
	if os.Getenv("RSA") != "" {
		kind = keyRSA
	}
	tk := s.keys[kind]
	tk.Level = levelB
	d := newDocument(size, 1)
	tk.Input = filepath.Join(s.folder, "in.pdf")
	tk.Output = filepath.Join(s.folder, "out.pdf")
	f, _ := os.Create(tk.Input)
	io.Copy(f, io.NewSectionReader(d, 0, size))
	f.Close()
	for _, n := range []string{contenderTrien, contenderPDFSign} {
		do, err := contenders[n](b.Context(), tk)
		if err != nil {
			b.Fatal(err)
		}
		b.Run(n, func(b *testing.B) {
			b.ReportAllocs()
			before, _ := processorTimeUS()
			defer func() { after, _ := processorTimeUS(); b.ReportMetric((after-before)/float64(b.N), "cpu-us/op") }()
			for b.Loop() {
				if err := do(); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}

func processorTimeUS() (float64, error) {
	var r syscall.Rusage
	err := syscall.Getrusage(0, &r)
	return float64(r.Utime.Nano()+r.Stime.Nano()) / 1000, err
}
