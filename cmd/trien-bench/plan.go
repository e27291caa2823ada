package main

import (
	"fmt"
	"time"
)

// plan says how much is measured.
type plan struct {
	series   []series
	storing  []series // the same without the way there
	readings series
	receipts []receipts
	large    int64 // bytes deposited while memory is watched
	space    int64 // bytes of disk needed

	signing signaturePlan
	ledger  ledgerPlan
}

// ledgerPlan says how the ledger is measured.
type ledgerPlan struct {
	sizes   []uint64 // leaves, growing
	clients []int
	rounds  int
	turn    time.Duration // of one contender in one round
	rate    float64       // deposits per second whatever becomes of those before
	steady  time.Duration // for so long

	proofs, judgements, events int
}

// signaturePlan says how signatures are measured.
type signaturePlan struct {
	sizes  []signatureSize
	rounds int
	turn   time.Duration // of one contender in one round

	large   int64 // bytes of a document signed while memory is watched
	objects int   // of another one
}

// signatureSize is a document and how it is signed.
type signatureSize struct {
	bytes  int64
	series []signatureSeries
}

// signatureSeries is one comparison: in each round, each signs the same document again and again for one turn.
type signatureSeries struct {
	level, key string
	goals      map[string]float64 // by peer: how many times as fast at least
}

// series is one comparison: in each round, clients put count documents of size bytes into the vault, then raw.
type series struct {
	name          string
	size          int64
	clients       int
	count, rounds int // count per client
	goal          float64
	processor     bool // also compare processor time
}

// receipts is one measurement of the time from the first byte of a deposit to its verified receipt.
type receipts struct {
	name     string
	clients  int
	count    int     // per client
	p50, p99 float64 // goals in milliseconds
}

const (
	kb = 1000
	mb = 1000 * kb
	gb = 1000 * mb
)

// Goals. A deposit adds to a raw put: TLS, multipart form, two hashes, encryption, the check of the document, and two
// transactions. From 1 MB on that must cost little: 0.8. For 50 KB the transactions weigh as much as the put itself, and all
// four programs share the processors: 0.25 says that a raw put may be four times as fast.
func planFor(quick bool) plan {
	if quick {
		return plan{
			series: []series{
				{"deposit, 1 MB, 1 client", mb, 1, 2, 2, 0.8, true},
				{"deposit, 50 KB, 8 clients", 50 * kb, 8, 2, 2, 0.25, false},
			},
			storing:  []series{{"hash, encrypt and put, 1 MB, 1 client", mb, 1, 2, 2, 0.8, false}},
			readings: series{"disclosure, 1 MB, 1 client", mb, 1, 2, 2, 0.5, false},
			receipts: []receipts{{"deposit to receipt, 50 KB, 1 client", 1, 5, 100, 250}},
			large:    20 * mb,
			space:    gb,
			signing:  planSignatures(signaturePlan{rounds: 1, turn: time.Millisecond, large: 20 * mb, objects: 20_000}, 100*kb, mb),
			ledger: ledgerPlan{
				sizes: []uint64{1000, 3000}, clients: []int{1, 16, 64}, rounds: 1, turn: 200 * time.Millisecond, rate: 50, steady: time.Second,
				proofs: 200, judgements: 100, events: 500,
			},
		}
	}
	return plan{
		series: []series{
			{"deposit, 1 MB, 1 client", mb, 1, 16, 15, 0.8, false},
			{"deposit, 16 MB, 1 client", 16 * mb, 1, 4, 11, 0.8, true},
			{"deposit, 256 MB, 1 client", 256 * mb, 1, 1, 5, 0.8, false},
			{"deposit, 50 KB, 8 clients", 50 * kb, 8, 25, 11, 0.25, false},
		},
		storing: []series{
			{"hash, encrypt and put, 1 MB, 1 client", mb, 1, 16, 15, 0.8, false},
			{"hash, encrypt and put, 16 MB, 1 client", 16 * mb, 1, 4, 11, 0.8, false},
			{"hash, encrypt and put, 256 MB, 1 client", 256 * mb, 1, 1, 5, 0.8, false},
			{"hash, encrypt and put, 50 KB, 8 clients", 50 * kb, 8, 25, 11, 0.8, false},
		},
		readings: series{"disclosure, 16 MB, 1 client", 16 * mb, 1, 4, 9, 0.5, false},
		receipts: []receipts{
			{"deposit to receipt, 50 KB, 1 client", 1, 200, 100, 250},
			{"deposit to receipt, 50 KB, 8 clients", 8, 50, 250, 600},
		},
		large:   gb,
		space:   12 * gb,
		signing: planSignatures(signaturePlan{rounds: 9, turn: 400 * time.Millisecond, large: gb, objects: 2_000_000}, 100*kb, 10*mb, 100*mb),
		ledger: ledgerPlan{
			sizes: []uint64{10_000, 1_000_000}, clients: []int{1, 16, 64}, rounds: 5, turn: 2 * time.Second, rate: 500, steady: 20 * time.Second,
			proofs: 5000, judgements: 2000, events: 8 * 4096,
		},
	}
}

// planSignatures: with both kinds of key at B-B, where no network decides; the smallest document with time-stamps too. RSA itself takes a
// millisecond of anybody who signs 100 KB, and hashing 60 of anybody who signs 100 MB: where that alone misses a goal, its limit says so (see least). The
// files lie in the scratch folder and are never flushed; a tmpfs would not be fairer, because its small pages make every byte dearer than ext4's.
func planSignatures(p signaturePlan, sizes ...int64) signaturePlan {
	for i, bytes := range sizes {
		goals := map[string]float64{contenderPDFSign: 3, contenderPyHanko: 20}
		s := signatureSize{bytes, []signatureSeries{{levelB, keyRSA, goals}, {levelB, keyEC, goals}}}
		if i == 0 {
			s.series = append(s.series, signatureSeries{level: levelT, key: keyRSA}, signatureSeries{level: levelLTA, key: keyRSA})
		}
		p.sizes = append(p.sizes, s)
	}
	return p
}

// amount writes bytes for people.
func amount(bytes int64) string {
	switch {
	case bytes >= gb:
		return fmt.Sprintf("%g GB", float64(bytes)/gb)
	case bytes >= mb:
		return fmt.Sprintf("%g MB", float64(bytes)/mb)
	}
	return fmt.Sprintf("%g KB", float64(bytes)/kb)
}
