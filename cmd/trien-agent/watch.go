package main

import (
	"context"
	"errors"
	"fmt"
	"os/exec"
	"time"

	"trien/api/client"
)

// Bounds on how often the server is asked.
const (
	leastEvery = 5 * time.Second
	mostEvery  = 15 * time.Minute // after troubles that last
)

// watch tells when documents come that wait for the signature of this machine's official, until it is stopped. It only calls out, and it never
// signs: that is for a person, with trien-agent sign.
func (a *agent) watch(ctx context.Context) error {
	e, err := loadEnrolment()
	if err != nil {
		return err
	}
	a.every = max(a.every, leastEvery)
	known := map[string]bool{}
	pause := a.every
	for {
		err := a.look(ctx, e, known)
		switch {
		case ctx.Err() != nil:
			return nil //nolint:nilerr // being stopped is how it ends
		case err == nil:
			pause = a.every
		case errors.Is(err, client.ErrConnection), client.HasCode(err, "unavailable"), client.HasCode(err, "busy"), client.HasCode(err, "too_many_requests"):
			pause = min(2*pause, mostEvery)
			fmt.Fprintln(a.err, a.explain(err))
		default:
			return err // a revoked device, another server: asking again would not help
		}
		select {
		case <-ctx.Done():
			return nil
		case <-time.After(pause):
		}
	}
}

// look asks once, in a session of its own, and tells of what was not known.
func (a *agent) look(ctx context.Context, e *enrolment, known map[string]bool) error {
	s, err := a.signInByDevice(ctx, e)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	jobs, err := s.Jobs(ctx)
	if err != nil {
		return err
	}
	news := false
	for _, j := range jobs {
		news = news || !known[j.ID]
	}
	clear(known)
	for _, j := range jobs {
		known[j.ID] = true
	}
	if !news {
		return nil
	}
	a.overview(s, jobs)
	// How many, not which: a notice may be read over somebody's shoulder. Machines without notices have the line above.
	if path, err := exec.LookPath("notify-send"); err == nil {
		_ = exec.CommandContext(ctx, path, "--app-name=Triện", "Triện", a.say.words(showNews, len(jobs))).Run()
	}
	return nil
}
