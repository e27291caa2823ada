package main

import (
	"bufio"
	"context"
	_ "embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
)

//go:embed judge.py
var judgeSource []byte

//go:embed makers.py
var makersSource []byte

// peer is a Python process that answers a JSON object on a line with another. Importing its libraries takes longer than most answers,
// so one process serves all documents of a worker. It is not safe for concurrent use.
type peer struct {
	cmd *exec.Cmd
	in  io.WriteCloser
	out *bufio.Reader
}

// startPeer writes the program into folder and runs it there with args.
func startPeer(ctx context.Context, python, folder, name string, source []byte, args ...string) (*peer, error) {
	path := filepath.Join(folder, name)
	if err := os.WriteFile(path, source, 0o600); err != nil {
		return nil, err
	}
	p := &peer{cmd: exec.CommandContext(ctx, python, append([]string{"-I", path}, args...)...)}
	p.cmd.Dir, p.cmd.Stderr = folder, os.Stderr
	var err error
	if p.in, err = p.cmd.StdinPipe(); err != nil {
		return nil, err
	}
	out, err := p.cmd.StdoutPipe()
	if err != nil {
		return nil, err
	}
	p.out = bufio.NewReader(out)
	if err := p.cmd.Start(); err != nil {
		return nil, fmt.Errorf("%w: Python's environment (make interop makes it): %w", errMachine, err)
	}
	return p, nil
}

// ask sends the question and reads the answer into answer.
func (p *peer) ask(question, answer any) error {
	line, err := json.Marshal(question)
	if err != nil {
		return err
	}
	if _, err := p.in.Write(append(line, '\n')); err != nil {
		return fmt.Errorf("asking %s: %w", p.cmd.Args[2], err)
	}
	text, err := p.out.ReadBytes('\n')
	if err != nil {
		return fmt.Errorf("reading the answer of %s: %w", p.cmd.Args[2], err)
	}
	return json.Unmarshal(text, answer)
}

// close ends the process: it stops when there is nothing more to read.
func (p *peer) close() error { return errors.Join(p.in.Close(), p.cmd.Wait()) }
