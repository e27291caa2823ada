package client

import (
	"context"
	"net/http"
	"net/url"
	"strconv"

	"trien/api/wire"
)

// DecideScope is a data owner's decision of what may be granted in a unit.
func (c *Client) DecideScope(ctx context.Context, unit string, n wire.NewScopeDecision) (wire.ScopeDecision, error) {
	var d wire.ScopeDecision
	err := c.call(ctx, http.MethodPost, "/units/"+url.PathEscape(unit)+"/decisions", nil, n, &d)
	return d, err
}

// Decisions lists a unit's, newest first.
func (c *Client) Decisions(ctx context.Context, unit string) ([]wire.ScopeDecision, error) {
	l, err := list[wire.ScopeDecision](ctx, c, "/units/"+url.PathEscape(unit)+"/decisions", nil)
	return l.Items, err
}

// SetClearance says up to which level a person may reach records.
func (c *Client) SetClearance(ctx context.Context, account string, to wire.Clearance) error {
	return c.call(ctx, http.MethodPut, "/accounts/"+url.PathEscape(account)+"/clearance", nil, to, nil)
}

// GrantAccess opens dossiers to a person.
func (c *Client) GrantAccess(ctx context.Context, n wire.NewGrant) (wire.Grant, error) {
	var g wire.Grant
	err := c.call(ctx, http.MethodPost, "/grants", nil, n, &g)
	return g, err
}

// RevokeGrant ends a grant at once.
func (c *Client) RevokeGrant(ctx context.Context, grant string) error {
	return c.call(ctx, http.MethodDelete, "/grants/"+url.PathEscape(grant), nil, nil, nil)
}

// SetSecrecy sets the level of a dossier, or of one of its records.
func (c *Client) SetSecrecy(ctx context.Context, dossier string, to wire.Secrecy) error {
	return c.call(ctx, http.MethodPut, "/dossiers/"+url.PathEscape(dossier)+"/secrecy", nil, to, nil)
}

// Inquiry asks how an act of somebody's would be decided: see [Client.Explain].
type Inquiry struct {
	Account, Action, Dossier, Record string
	Device, MFA, Purpose             bool
}

// Explain says in full how an act would be decided now. The server records who asked.
func (c *Client) Explain(ctx context.Context, q Inquiry) (wire.Explanation, error) {
	query := url.Values{"account": {q.Account}, "action": {q.Action}}
	for name, text := range map[string]string{"dossier": q.Dossier, "record": q.Record} {
		if text != "" {
			query.Set(name, text)
		}
	}
	for name, set := range map[string]bool{"device": q.Device, "mfa": q.MFA, "purpose": q.Purpose} {
		query.Set(name, strconv.FormatBool(set))
	}
	var x wire.Explanation
	err := c.call(ctx, http.MethodGet, "/policy/explanation", query, nil, &x)
	return x, err
}
