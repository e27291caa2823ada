package standalone

import (
	"context"
	"fmt"
	"log/slog"
	"os"
	"os/signal"
	"syscall"
	"testing"
)

// holdCommand makes the test binary start a vault's services, say so, and hold them until it is told to end or is killed.
const holdCommand = "standalone-hold"

func TestMain(m *testing.M) {
	if len(os.Args) > 2 {
		var err error
		switch os.Args[1] {
		case ChildCommand:
			err = ServeObjects(context.Background(), os.Args[2])
		case holdCommand:
			err = hold(os.Args[2])
		default:
			os.Exit(run(m))
		}
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(run(m))
}

func run(m *testing.M) int {
	code := m.Run()
	if initialised.parent != "" {
		_ = os.RemoveAll(initialised.parent)
	}
	return code
}

func hold(dir string) error {
	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM)
	defer stop()
	s, err := Start(ctx, dir, slog.New(slog.DiscardHandler))
	if err != nil {
		return err
	}
	fmt.Println(s.postgres.PID(), s.objects.PID())
	<-ctx.Done()
	return s.Close()
}
