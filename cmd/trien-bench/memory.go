package main

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// memoryGoal is what the server may hold at most while a large document passes through it.
const memoryGoal = 128 // MiB

// memory deposits one large document and reads the server's peak resident memory: reset before, read after.
func (b *benchmark) memory(ctx context.Context) ([]row, error) {
	b.say("memory while %s are deposited", amount(b.large))
	pid, store := b.server.cmd.Process.Pid, b.store
	for _, p := range []int{pid, store} {
		if err := os.WriteFile(fmt.Sprintf("/proc/%d/clear_refs", p), []byte("5"), 0); err != nil { // resets VmHWM, proc(5)
			return nil, fmt.Errorf("resetting the peak of memory: %w", err)
		}
	}
	b.number++
	if err := b.deposit(ctx, newDocument(b.large, b.number)); err != nil {
		return nil, err
	}
	peak, err := highWater(pid)
	if err != nil {
		return nil, err
	}
	storePeak, err := highWater(store)
	if err != nil {
		return nil, err
	}
	return []row{
		atMost("peak memory of the server, depositing "+amount(b.large), "MiB", peak, memoryGoal),
		without("peak memory of its S3 server, depositing "+amount(b.large), "MiB", storePeak),
	}, nil
}

// highWater is the peak resident memory of a process in MiB.
func highWater(pid int) (float64, error) {
	status, err := os.ReadFile(fmt.Sprintf("/proc/%d/status", pid))
	if err != nil {
		return 0, err
	}
	for line := range strings.Lines(string(status)) {
		if fields := strings.Fields(line); len(fields) == 3 && fields[0] == "VmHWM:" {
			kib, err := strconv.ParseFloat(fields[1], 64)
			return kib / 1024, err
		}
	}
	return 0, errors.New("the kernel tells no peak of memory")
}

// childNamed finds the child of pid whose second argument is name.
func childNamed(pid int, name string) (int, error) {
	lists, err := filepath.Glob(fmt.Sprintf("/proc/%d/task/*/children", pid))
	if err != nil {
		return 0, err
	}
	for _, list := range lists {
		children, err := os.ReadFile(list)
		if err != nil {
			continue // a thread that ended
		}
		for _, child := range strings.Fields(string(children)) {
			id, err := strconv.Atoi(child)
			if err != nil {
				return 0, err
			}
			args, err := os.ReadFile(fmt.Sprintf("/proc/%d/cmdline", id))
			if fields := strings.Split(string(args), "\x00"); err == nil && len(fields) > 1 && fields[1] == name {
				return id, nil
			}
		}
	}
	return 0, fmt.Errorf("the vault has no child %s", name)
}

// enoughSpace says beforehand what a full disk would say in the middle.
func enoughSpace(folder string, need int64) error {
	var s syscall.Statfs_t
	if err := syscall.Statfs(folder, &s); err != nil {
		return err
	}
	if free := int64(s.Bavail) * s.Bsize; free < need {
		return fmt.Errorf("only %.1f GB are free in %s; the bench needs %.1f GB (choose another folder by --scratch)", float64(free)/gb, folder, float64(need)/gb)
	}
	return nil
}

// processorTime is what client, server and S3 server have used so far, in seconds.
func (b *benchmark) processorTime() (float64, error) {
	var sum float64
	for _, pid := range []int{os.Getpid(), b.server.cmd.Process.Pid, b.store} {
		used, err := processorTime(pid)
		if err != nil {
			return 0, err
		}
		sum += used
	}
	return sum, nil
}

// clockTick is the unit of /proc/PID/stat on every Linux.
const clockTick = 0.01

func processorTime(pid int) (float64, error) {
	stat, err := os.ReadFile(fmt.Sprintf("/proc/%d/stat", pid))
	if err != nil {
		return 0, err
	}
	_, rest, ok := strings.Cut(string(stat), ") ") // the name before it may hold anything
	fields := strings.Fields(rest)
	if !ok || len(fields) < 13 {
		return 0, errors.New("the kernel tells no processor time")
	}
	user, err1 := strconv.ParseFloat(fields[11], 64)
	system, err2 := strconv.ParseFloat(fields[12], 64)
	return (user + system) * clockTick, errors.Join(err1, err2)
}
