package vault

import (
	"sync"
	"time"
)

// tries slows down guessing: after five failures in a row a login waits, twice as long after each further one, up to a
// quarter of an hour. It counts per process, which bounds guessing well enough behind a handful of nodes.
type tries struct {
	mu    sync.Mutex
	login map[string]failure
}

type failure struct {
	count int
	until time.Time
}

const (
	freeTries  = 5
	maxBackoff = 15 * time.Minute
	maxLogins  = 10_000 // forget everything rather than let guessed logins fill the memory
)

// blocked reports whether login has to wait.
func (t *tries) blocked(login string, now time.Time) bool {
	t.mu.Lock()
	defer t.mu.Unlock()
	return now.Before(t.login[login].until)
}

// failed counts one failure.
func (t *tries) failed(login string, now time.Time) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.login == nil || len(t.login) >= maxLogins {
		t.login = map[string]failure{}
	}
	f := t.login[login]
	f.count++
	if over := f.count - freeTries; over >= 0 {
		f.until = now.Add(min(time.Second<<min(over, 20), maxBackoff))
	}
	t.login[login] = f
}

// succeeded forgets the failures of login.
func (t *tries) succeeded(login string) {
	t.mu.Lock()
	defer t.mu.Unlock()
	delete(t.login, login)
}
