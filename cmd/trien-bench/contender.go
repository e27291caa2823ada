package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"time"
)

// A contender is a process of its own, so that its peak of memory is its own too: this program again (see contend), or Python with
// contender.py. Both speak the same few words: a line with a number of seconds comes in, they do their task again and again for so long, once at
// least, and answer with a JSON array of the seconds each time took. The end of the input ends them.
type contender struct {
	name string
	cmd  *exec.Cmd
	in   io.WriteCloser
	out  *bufio.Reader
	log  *tail
}

// task is what a contender does. It travels as JSON in an argument.
type task struct {
	Input        string `json:"input"`
	Output       string `json:"output"`       // of signing; it is removed each time, which is not measured
	Key          string `json:"key"`          // PEM, PKCS #8
	Certificates string `json:"certificates"` // PEM: the key's, then its issuers without the root
	Root         string `json:"root"`         // PEM
	TSA          string `json:"tsa"`
	Level        string `json:"level"` // to sign at; judging has none
}

const (
	levelB   = "B-B"
	levelT   = "B-T"
	levelLTA = "B-LTA"
)

// startContender starts program with the arguments and the task, as JSON, behind them.
func startContender(ctx context.Context, name string, t any, program string, args ...string) (*contender, error) {
	text, err := json.Marshal(t)
	if err != nil {
		return nil, err
	}
	c := &contender{name: name, log: &tail{}}
	c.cmd = exec.CommandContext(ctx, program, append(args, string(text))...)
	c.cmd.Stderr = c.log
	c.cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL}
	if c.in, err = c.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := c.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	c.out = bufio.NewReader(out)
	if err := c.cmd.Start(); err != nil {
		return nil, fmt.Errorf("starting %s: %w", name, err)
	}
	return c, nil
}

// run lets the contender work for so long, once at least, and returns the seconds that each time took.
func (c *contender) run(d time.Duration) (seconds []float64, err error) {
	line, err := c.ask(fmt.Sprintf("%f", d.Seconds()))
	if err != nil {
		return nil, err
	}
	if err := json.Unmarshal(line, &seconds); err != nil || len(seconds) == 0 {
		return nil, fmt.Errorf("%s answered %q", c.name, line)
	}
	return seconds, nil
}

// ask sends a line and returns the one that comes back.
func (c *contender) ask(question string) ([]byte, error) {
	_, err := io.WriteString(c.in, question+"\n")
	var line []byte
	if err == nil {
		line, err = c.out.ReadBytes('\n')
	}
	if err != nil {
		return nil, errors.Join(fmt.Errorf("%s does not answer: %w", c.name, err), c.stop())
	}
	return line, nil
}

// burst has a ledger's contender do one measurement.
func (c *contender) burst(b burst) (done outcome, err error) {
	question, err := json.Marshal(b)
	if err != nil {
		return done, err
	}
	line, err := c.ask(string(question))
	if err != nil {
		return done, err
	}
	if err := json.Unmarshal(line, &done); err != nil {
		return done, fmt.Errorf("%s answered %q", c.name, line)
	}
	return done, nil
}

// turn is run, with the processor time that it took in seconds.
func (c *contender) turn(d time.Duration) (seconds []float64, used float64, err error) {
	before, err := processorTime(c.cmd.Process.Pid)
	if err != nil {
		return nil, 0, err
	}
	if seconds, err = c.run(d); err != nil {
		return nil, 0, err
	}
	after, err := processorTime(c.cmd.Process.Pid)
	return seconds, after - before, err
}

// peak is the most memory that the process held, in MiB.
func (c *contender) peak() (float64, error) { return highWater(c.cmd.Process.Pid) }

// stop ends the contender, once.
func (c *contender) stop() error {
	if c.in == nil {
		return nil
	}
	_ = c.in.Close() // of a process that may have ended
	c.in = nil
	if err := c.cmd.Wait(); err != nil {
		return fmt.Errorf("%s ended badly: %w:\n%s", c.name, err, c.log)
	}
	return nil
}

// contendArgument is the first argument of this program as a contender. It stands in no help: the bench alone starts contenders.
const contendArgument = "contend"

// contend is a contender's process: NAME TASK.
func contend(ctx context.Context, args []string, in io.Reader, out io.Writer) error {
	if len(args) == 2 && depositors[args[0]] != nil {
		return contendDeposits(ctx, depositors[args[0]], args[1], in, out)
	}
	if len(args) != 2 || contenders[args[0]] == nil {
		return errUsage
	}
	var t task
	d := json.NewDecoder(strings.NewReader(args[1]))
	d.DisallowUnknownFields()
	if err := d.Decode(&t); err != nil {
		return err
	}
	do, err := contenders[args[0]](ctx, t)
	if err != nil {
		return err
	}
	return answer(in, out, t.Output, do)
}

// answer does what the bench asks for until it asks no more. What was made is removed before the clock starts: to free the blocks of an old file is
// nothing that a signer needs.
func answer(in io.Reader, out io.Writer, made string, do func() error) error {
	lines := bufio.NewScanner(in)
	for lines.Scan() {
		var seconds float64
		if _, err := fmt.Sscanf(lines.Text(), "%f", &seconds); err != nil {
			return err
		}
		var took []float64
		for end := time.Now().Add(time.Duration(seconds * float64(time.Second))); len(took) == 0 || time.Now().Before(end); {
			if err := os.RemoveAll(made); err != nil {
				return err
			}
			began := time.Now()
			if err := do(); err != nil {
				return err
			}
			took = append(took, time.Since(began).Seconds())
		}
		if err := json.NewEncoder(out).Encode(took); err != nil {
			return err
		}
	}
	return lines.Err()
}
