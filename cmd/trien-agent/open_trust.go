package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"

	"trien/api/client"
	"trien/certs"
	"trien/ledger"
	"trien/vault/bundle"
)

// maxTrusted bounds files of anchors and policy: both are a few kilobytes.
const maxTrusted = 8 << 20

// trust is what an opened export is judged by: files that the options name, or what the server says that this machine is enrolled at, under the pinned authority.
func (a *agent) trust(ctx context.Context) (bundle.Trust, error) {
	switch {
	case a.anchors != "" && a.policy != "":
		return a.trustOf(func() ([]byte, error) { return readTrusted(a.anchors) }, func() ([]byte, error) { return readTrusted(a.policy) })
	case a.anchors != "":
		return bundle.Trust{}, usage(textNeed, "policy")
	case a.policy != "":
		return bundle.Trust{}, usage(textNeed, "anchors")
	}
	e, err := loadEnrolment()
	if errors.Is(err, errNotEnrolled) {
		return bundle.Trust{}, usage(textNeedTrust)
	}
	if err != nil {
		return bundle.Trust{}, err
	}
	c, err := client.New(client.Config{Server: e.server, CA: []byte(e.ca), Pin: e.pin, Language: string(a.say), Agent: "trien-agent/" + version})
	if err != nil {
		return bundle.Trust{}, err
	}
	defer c.Close()
	trust, err := a.trustOf(func() ([]byte, error) { return c.Anchors(ctx) }, func() ([]byte, error) { return c.Policy(ctx) })
	if errors.Is(err, client.ErrConnection) {
		return trust, wrapped(err, textTrustAway)
	}
	return trust, err
}

func (a *agent) trustOf(anchors, policy func() ([]byte, error)) (bundle.Trust, error) {
	trust := bundle.Trust{At: a.now()}
	text, err := anchors()
	if err != nil {
		return trust, err
	}
	if trust.Anchors, err = certs.ParseAnchors(text); err != nil {
		return trust, wrapped(err, textTrustBad, plain(err.Error()))
	}
	if text, err = policy(); err != nil {
		return trust, err
	}
	if trust.Policy, err = ledger.ParsePolicy(text); err != nil {
		return trust, wrapped(err, textTrustBad, plain(err.Error()))
	}
	return trust, nil
}

func readTrusted(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, wrapped(err, textTrustBad, plain(err.Error()))
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, maxTrusted+1))
	if err == nil && len(text) > maxTrusted {
		err = fmt.Errorf("%s is longer than %d bytes", path, maxTrusted)
	}
	if err != nil {
		return nil, wrapped(err, textTrustBad, plain(err.Error()))
	}
	return text, nil
}
