package objectserver

import (
	"fmt"
	"os"
	"sync"

	"golang.org/x/sys/unix"
)

// groupSync makes a file system durable for many callers at a time: a caller is served by a flush that began after it
// asked, and all that asked meanwhile share one.
type groupSync struct {
	flush  func() error
	broken func(error) // called once, when a flush fails

	mu      sync.Mutex
	failed  error
	running bool
	next    *flushBatch
}

type flushBatch struct {
	done chan struct{}
	err  error
}

// newGroupSync flushes the file system that holds folder. When a flush fails the system may have dropped what it could not
// write, and a later flush would say all is well: so every later call fails too, and broken is called to end the server.
func newGroupSync(folder *os.File, broken func(error)) *groupSync {
	return &groupSync{flush: func() error { return unix.Syncfs(int(folder.Fd())) }, broken: broken}
}

// Sync returns nil when all that was written before the call is on disk.
func (g *groupSync) Sync() error {
	g.mu.Lock()
	if g.failed != nil {
		defer g.mu.Unlock()
		return g.failed
	}
	if g.next == nil {
		g.next = &flushBatch{done: make(chan struct{})}
	}
	b := g.next
	if !g.running {
		g.running = true
		go g.run()
	}
	g.mu.Unlock()
	<-b.done
	return b.err
}

func (g *groupSync) run() {
	for {
		g.mu.Lock()
		b := g.next
		g.next = nil
		if b == nil {
			g.running = false
			g.mu.Unlock()
			return
		}
		err := g.failed
		g.mu.Unlock()
		if err == nil {
			if err = g.flush(); err != nil {
				err = fmt.Errorf("flushing the file system: %w", err)
				g.mu.Lock()
				g.failed = err
				g.mu.Unlock()
				g.broken(err)
			}
		}
		b.err = err
		close(b.done)
	}
}
