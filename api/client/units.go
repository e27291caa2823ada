package client

import (
	"bytes"
	"context"
	"net/http"
	"net/url"

	"trien/api/wire"
)

// UnitTree reads the organisation as it was on a day (yyyy-mm-dd; empty: today).
func (c *Client) UnitTree(ctx context.Context, on string) (wire.UnitTree, error) {
	v := url.Values{}
	set(v, "on", on)
	var t wire.UnitTree
	err := c.call(ctx, http.MethodGet, "/unit-tree", v, nil, &t)
	return t, err
}

// Unit reads a unit as it was on a day (yyyy-mm-dd; empty: today), by its code or id.
func (c *Client) Unit(ctx context.Context, unit, on string) (wire.UnitState, error) {
	v := url.Values{}
	set(v, "on", on)
	var u wire.UnitState
	err := c.call(ctx, http.MethodGet, "/units/"+url.PathEscape(unit), v, nil, &u)
	return u, err
}

// UnitHistory reads a unit with its past, by its code or id.
func (c *Client) UnitHistory(ctx context.Context, unit string) (wire.UnitHistory, error) {
	var h wire.UnitHistory
	err := c.call(ctx, http.MethodGet, "/units/"+url.PathEscape(unit)+"/history", nil, nil, &h)
	return h, err
}

// ActOnUnits does and records an act on units.
func (c *Client) ActOnUnits(ctx context.Context, n wire.NewUnitAct) (wire.UnitAct, error) {
	var a wire.UnitAct
	err := c.call(ctx, http.MethodPost, "/unit-acts", nil, n, &a)
	return a, err
}

// ImportUnits brings in a table of units, all or none; without apply it says what would be done.
func (c *Client) ImportUnits(ctx context.Context, table []byte, apply bool) (wire.UnitImport, error) {
	v := url.Values{}
	if apply {
		v.Set("apply", "true")
	}
	var done wire.UnitImport
	req, err := c.newRequest(ctx, http.MethodPost, "/unit-imports", v, bytes.NewReader(table))
	if err != nil {
		return done, err
	}
	req.Header.Set("Content-Type", "text/csv; charset=utf-8")
	resp, err := c.do(req)
	if err != nil {
		return done, err
	}
	defer closeQuietly(resp.Body)
	return done, c.decode(ctx, resp.Body, &done)
}

// Holdings lists which units held a dossier, oldest first: ever, or on a day (yyyy-mm-dd).
func (c *Client) Holdings(ctx context.Context, dossier, on string) ([]wire.Holding, error) {
	v := url.Values{}
	set(v, "on", on)
	l, err := list[wire.Holding](ctx, c, "/dossiers/"+url.PathEscape(dossier)+"/holdings", v)
	return l.Items, err
}
