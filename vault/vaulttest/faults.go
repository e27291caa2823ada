package vaulttest

import (
	"context"
	"crypto/x509"
	"fmt"
	"io"
	"slices"
	"sync"
	"time"

	"trien/ledger"
	"trien/signing"
	"trien/vault"
	"trien/vault/envelope"
)

// When says on which side of a call's effect it fails.
type When int

const (
	// Before the effect: the call is not passed on.
	Before When = iota
	// After the effect: the call is passed on and succeeds, and its answer is lost.
	After
)

// String is for the names of subtests.
func (w When) String() string {
	if w == Before {
		return "before"
	}
	return "after"
}

// Fault makes one call fail.
type Fault struct {
	// Method is the port's and the method's name, such as "Store.CommitVersion"; readers that Objects opens have
	// "ObjectReader.ReadAt".
	Method string
	// Call counts the calls of the method from 1.
	Call int
	When When
	// Err is returned; nil: one that wraps [vault.ErrUnavailable], unless there is a Hook.
	Err error
	// Hook runs at that moment. With a Hook and without Err the call goes on as if nothing had been.
	Hook func()
	// Down makes every later call of every port fail too, as if the process had been killed: see [Faults.Up].
	Down bool
}

// Faults wraps ports and makes chosen calls fail. A table over every stage of a use case runs it once without faults, takes
// the names of what was called from [Faults.Trace], and then fails each call on either side of its effect. It is safe for
// concurrent use.
type Faults struct {
	mu     sync.Mutex
	faults []Fault
	calls  map[string]int
	trace  []Call
	down   bool
}

// Call is one call of a port.
type Call struct {
	Method string
	Number int // among the calls of the method, from 1
}

// Add arms faults; Call counts from now.
func (f *Faults) Add(faults ...Fault) {
	f.mu.Lock()
	defer f.mu.Unlock()
	for _, a := range faults {
		a.Call += f.calls[a.Method]
		f.faults = append(f.faults, a)
	}
}

// Trace lists the calls made so far, in the order in which they began.
func (f *Faults) Trace() []Call {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.trace)
}

// Left lists the faults that have not happened yet: a test that expects a failure looks whether there are any.
func (f *Faults) Left() []Fault {
	f.mu.Lock()
	defer f.mu.Unlock()
	return slices.Clone(f.faults)
}

// Up lets calls through again after a fault with Down, as a new process would make them.
func (f *Faults) Up() {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.down = false
}

// begin counts a call; it fails if the process is down.
func (f *Faults) begin(method string) (int, error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.down {
		return 0, fmt.Errorf("%w: %s: the process is down", vault.ErrUnavailable, method)
	}
	if f.calls == nil {
		f.calls = map[string]int{}
	}
	f.calls[method]++
	f.trace = append(f.trace, Call{method, f.calls[method]})
	return f.calls[method], nil
}

// at is the moment on one side of a call's effect.
func (f *Faults) at(method string, call int, when When) error {
	f.mu.Lock()
	i := slices.IndexFunc(f.faults, func(a Fault) bool { return a.Method == method && a.Call == call && a.When == when })
	if i < 0 {
		f.mu.Unlock()
		return nil
	}
	fault := f.faults[i]
	f.faults = slices.Delete(f.faults, i, i+1)
	f.down = f.down || fault.Down
	f.mu.Unlock()
	if fault.Hook != nil {
		fault.Hook()
	}
	switch {
	case fault.Err != nil:
		return fault.Err
	case fault.Hook != nil && !fault.Down:
		return nil
	}
	return fmt.Errorf("%w: fault %s call %d of %s", vault.ErrUnavailable, when, call, method)
}

// run is a call without a result.
func (f *Faults) run(method string, do func() error) error {
	call, err := f.begin(method)
	if err != nil {
		return err
	}
	if err := f.at(method, call, Before); err != nil {
		return err
	}
	if err := do(); err != nil {
		return err
	}
	return f.at(method, call, After)
}

// ask is a call with a result; where the call fails there is none.
func ask[T any](f *Faults, method string, do func() (T, error)) (T, error) {
	var v, none T
	err := f.run(method, func() (err error) {
		v, err = do()
		return err
	})
	if err != nil {
		return none, err
	}
	return v, nil
}

// Objects wraps an object store.
func (f *Faults) Objects(next vault.Objects) vault.Objects { return faultyObjects{f, next} }

type faultyObjects struct {
	f    *Faults
	next vault.Objects
}

func (o faultyObjects) Put(ctx context.Context, key string, r io.Reader, size int64) (vault.StoredObject, error) {
	return ask(o.f, "Objects.Put", func() (vault.StoredObject, error) { return o.next.Put(ctx, key, r, size) })
}

func (o faultyObjects) Open(ctx context.Context, key string, size int64) (vault.ObjectReader, error) {
	var opened vault.ObjectReader
	err := o.f.run("Objects.Open", func() (err error) {
		opened, err = o.next.Open(ctx, key, size)
		return err
	})
	if err != nil {
		if opened != nil {
			_ = opened.Close() // the fault is what the caller is told
		}
		return nil, err
	}
	return faultyReader{o.f, opened}, nil
}

func (o faultyObjects) Delete(ctx context.Context, key string) error {
	return o.f.run("Objects.Delete", func() error { return o.next.Delete(ctx, key) })
}

func (o faultyObjects) List(ctx context.Context, after string, limit int) ([]vault.StoredObject, error) {
	return ask(o.f, "Objects.List", func() ([]vault.StoredObject, error) { return o.next.List(ctx, after, limit) })
}

func (o faultyObjects) AbortStale(ctx context.Context, before time.Time) (int, error) {
	return ask(o.f, "Objects.AbortStale", func() (int, error) { return o.next.AbortStale(ctx, before) })
}

func (o faultyObjects) Ready(ctx context.Context) error {
	return o.f.run("Objects.Ready", func() error { return o.next.Ready(ctx) })
}

type faultyReader struct {
	f    *Faults
	next vault.ObjectReader
}

func (r faultyReader) ReadAt(p []byte, off int64) (int, error) {
	call, err := r.f.begin("ObjectReader.ReadAt")
	if err == nil {
		err = r.f.at("ObjectReader.ReadAt", call, Before)
	}
	if err != nil {
		return 0, err
	}
	n, err := r.next.ReadAt(p, off)
	if fault := r.f.at("ObjectReader.ReadAt", call, After); fault != nil {
		return 0, fault
	}
	return n, err
}

func (r faultyReader) Close() error { return r.next.Close() }

// KeyWrapper wraps what guards data keys.
func (f *Faults) KeyWrapper(next vault.KeyWrapper) vault.KeyWrapper { return faultyKeys{f, next} }

type faultyKeys struct {
	f    *Faults
	next vault.KeyWrapper
}

func (k faultyKeys) Wrap(ctx context.Context, key envelope.DataKey, place []byte) ([]byte, error) {
	return ask(k.f, "KeyWrapper.Wrap", func() ([]byte, error) { return k.next.Wrap(ctx, key, place) })
}

func (k faultyKeys) Unwrap(ctx context.Context, wrapped, place []byte) (envelope.DataKey, error) {
	return ask(k.f, "KeyWrapper.Unwrap", func() (envelope.DataKey, error) { return k.next.Unwrap(ctx, wrapped, place) })
}

func (k faultyKeys) Ready(ctx context.Context) error {
	return k.f.run("KeyWrapper.Ready", func() error { return k.next.Ready(ctx) })
}

// Log wraps a verifiable log.
func (f *Faults) Log(next vault.Log) vault.Log { return faultyLog{f, next} }

type faultyLog struct {
	f    *Faults
	next vault.Log
}

func (l faultyLog) Append(ctx context.Context, entries []ledger.Entry) error {
	return l.f.run("Log.Append", func() error { return l.next.Append(ctx, entries) })
}

func (l faultyLog) Await(ctx context.Context, e ledger.Entry) (ledger.Receipt, error) {
	return ask(l.f, "Log.Await", func() (ledger.Receipt, error) { return l.next.Await(ctx, e) })
}

func (l faultyLog) Checkpoint(ctx context.Context) ([]byte, error) {
	return ask(l.f, "Log.Checkpoint", func() ([]byte, error) { return l.next.Checkpoint(ctx) })
}

func (l faultyLog) Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error) {
	return ask(l.f, "Log.Consistency", func() ([]ledger.Hash, error) { return l.next.Consistency(ctx, older, newer) })
}

func (l faultyLog) Policy() *ledger.Policy { return l.next.Policy() }

func (l faultyLog) Ready(ctx context.Context) error {
	return l.f.run("Log.Ready", func() error { return l.next.Ready(ctx) })
}

// Sealer wraps the organisation's signing key.
func (f *Faults) Sealer(next vault.Sealer) vault.Sealer { return faultySealer{f, next} }

type faultySealer struct {
	f    *Faults
	next vault.Sealer
}

func (s faultySealer) Certificate() *x509.Certificate { return s.next.Certificate() }

func (s faultySealer) Chain() []*x509.Certificate { return s.next.Chain() }

func (s faultySealer) Seal(ctx context.Context, a signing.Algorithm, attributes []byte, reason string) ([]byte, error) {
	return ask(s.f, "Sealer.Seal", func() ([]byte, error) { return s.next.Seal(ctx, a, attributes, reason) })
}

func (s faultySealer) Ready(ctx context.Context) error {
	return s.f.run("Sealer.Ready", func() error { return s.next.Ready(ctx) })
}
