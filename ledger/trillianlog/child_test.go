package trillianlog

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strconv"
	"sync"
)

// A child is this test binary, started again to be killed. It appends entries from a number on, four callers at a time,
// and prints the number of each that was acknowledged.
const (
	childEnv     = "TRIEN_LOG_TEST_CHILD" // where to begin
	childKeyEnv  = "TRIEN_LOG_TEST_KEY"
	childDBEnv   = "TRIEN_LOG_TEST_DATABASE"
	childAddrEnv = "TRIEN_LOG_TEST_ADDRESS"
)

func childMain() int {
	from, err := strconv.Atoi(os.Getenv(childEnv))
	switch {
	case err != nil:
	case os.Getenv(childStepEnv) != "":
		err = childPublish(from)
	default:
		err = childAppend(from)
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
	}
	return 1
}

func childAppend(from int) error {
	ctx := context.Background()
	cfg := testConfig(os.Getenv(childDBEnv))
	cfg.Address = os.Getenv(childAddrEnv)
	l, err := Open(ctx, cfg)
	if err != nil {
		return err
	}
	go func() { _ = l.Run(ctx) }()
	var mu sync.Mutex
	out := bufio.NewWriter(os.Stdout)
	numbers := make(chan int)
	failed := make(chan error, 4)
	for range cap(failed) {
		go func() {
			for n := range numbers {
				if err := l.Append(ctx, entries(n, n+3)); err != nil {
					failed <- err
					return
				}
				mu.Lock()
				fmt.Fprintln(out, n)
				_ = out.Flush()
				mu.Unlock()
			}
		}()
	}
	for n := from; ; n += 3 {
		select {
		case numbers <- n:
		case err := <-failed:
			return err
		}
	}
}
