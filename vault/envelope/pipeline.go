package envelope

import (
	"fmt"
	"io"
	"sync"
)

// pipelineRuns bounds the memory of WriteTo: this many runs of 512 KiB are on their way at a time.
const pipelineRuns = 3

// run is a stretch of segments on its way through WriteTo.
type run struct {
	buf    *[runSize]byte
	first  int64
	count  int64
	sealed []byte
	plain  [][]byte
	err    error
}

// WriteTo writes the whole plaintext to w, and returns nil only if the object was whole to its end mark. Fetching,
// decrypting and writing overlap, in order, with at most 1.5 MiB on the way. What it had written before an error was
// authenticated, and is not the whole.
func (r *Reader) WriteTo(w io.Writer) (int64, error) {
	var (
		fetched = make(chan *run)
		opened  = make(chan *run)
		free    = make(chan *[runSize]byte, pipelineRuns)
		stop    = make(chan struct{})
		wg      sync.WaitGroup
	)
	for range min(pipelineRuns, (r.segments-1)/runSegments+1) {
		free <- runs.get()
	}
	wg.Go(func() { r.fetchAll(free, fetched, stop) })
	wg.Go(func() { r.openAll(fetched, opened, stop) })
	// The caller may close the source when we return: nothing reads from it any more then.
	defer func() {
		close(stop)
		wg.Wait()
		for range len(free) {
			runs.put(<-free)
		}
	}()

	var written int64
	for u := range opened {
		if u.err != nil {
			return written, u.err
		}
		for _, p := range u.plain {
			n, err := w.Write(p)
			written += int64(n)
			if err != nil {
				return written, fmt.Errorf("writing plaintext: %w", err)
			}
		}
		free <- u.buf
	}
	return written, nil
}

func (r *Reader) fetchAll(free chan *[runSize]byte, out chan<- *run, stop <-chan struct{}) {
	defer close(out)
	for first := int64(0); first < r.segments; first += runSegments {
		var u run
		select {
		case u.buf = <-free:
		case <-stop:
			return
		}
		u.first, u.count = first, min(runSegments, r.segments-first)
		sealed, err := r.fetch(u.buf[:], u.first, u.count)
		u.sealed, u.err = sealed, err
		select {
		case out <- &u: // it is the receiver's from now on
		case <-stop:
			return
		}
		if err != nil {
			return
		}
	}
}

func (r *Reader) openAll(in <-chan *run, out chan<- *run, stop <-chan struct{}) {
	defer close(out)
	for u := range in {
		for i := int64(0); u.err == nil && i < u.count; i++ {
			var plain []byte
			if plain, u.err = r.open(u.sealed, u.first, i); u.err == nil {
				u.plain = append(u.plain, plain)
			}
		}
		failed := u.err != nil
		select {
		case out <- u:
		case <-stop:
			return
		}
		if failed {
			return
		}
	}
}
