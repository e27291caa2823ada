package api

import (
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
	"trien/vault/policy"
)

func (s *Server) listDecisions(c *gin.Context, a vault.Actor) error {
	unit, err := pathID[vault.UnitID](c, "unit")
	if err != nil {
		return err
	}
	all, err := s.vault.Decisions(c.Request.Context(), a, unit)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(all, toDecision))
}

func (s *Server) postDecision(c *gin.Context, a vault.Actor) error {
	unit, err := pathID[vault.UnitID](c, "unit")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.NewScopeDecision](s, c)
	if err != nil {
		return err
	}
	d, err := s.vault.DecideScope(c.Request.Context(), a, vault.NewDecision{
		Unit: unit, Register: vault.Register(in.Register), Secrecy: vault.Secrecy(in.Secrecy), Until: in.Until, Basis: in.Basis,
	})
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, toDecision(d))
}

func (s *Server) putClearance(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.AccountID](c, "account")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.Clearance](s, c)
	if err != nil {
		return err
	}
	decision, err := optionalID[vault.DecisionID]("decision", in.Decision)
	if err != nil {
		return err
	}
	set := vault.Clearance{Secrecy: vault.Secrecy(in.Secrecy), Until: in.Until, Decision: decision}
	if err := s.vault.SetClearance(c.Request.Context(), a, id, set); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) postGrant(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewGrant](s, c)
	if err != nil {
		return err
	}
	g := vault.Grant{
		Register: vault.Register(in.Register), Secrecy: vault.Secrecy(in.Secrecy), Task: in.Task, Basis: in.Basis, Until: in.Until,
	}
	if g.Account, err = parseID[vault.AccountID]("account", in.Account); err != nil {
		return err
	}
	if g.Decision, err = parseID[vault.DecisionID]("decision", in.Decision); err != nil {
		return err
	}
	if g.Dossier, err = optionalID[vault.DossierID]("dossier", in.Dossier); err != nil {
		return err
	}
	if g.Unit, err = optionalID[vault.UnitID]("unit", in.Unit); err != nil {
		return err
	}
	for _, k := range in.Kinds {
		g.Kinds = append(g.Kinds, vault.Kind(k))
	}
	for _, f := range in.Forms {
		g.Forms = append(g.Forms, vault.Form(f))
	}
	if g, err = s.vault.GrantAccess(c.Request.Context(), a, g); err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, toGrant(g))
}

func (s *Server) deleteGrant(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.GrantID](c, "grant")
	if err != nil {
		return err
	}
	if err := s.vault.RevokeGrant(c.Request.Context(), a, id); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) putSecrecy(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.Secrecy](s, c)
	if err != nil {
		return err
	}
	record, err := optionalID[vault.RecordID]("record", in.Record)
	if err != nil {
		return err
	}
	if err := s.vault.SetSecrecy(c.Request.Context(), a, id, record, vault.Secrecy(in.Secrecy), in.Basis); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) getExplanation(c *gin.Context, a vault.Actor) error {
	q := vault.Inquiry{Action: vault.Action(c.Query("action"))}
	var err error
	if q.Account, err = parseID[vault.AccountID]("account", c.Query("account")); err != nil {
		return err
	}
	if q.Dossier, err = optionalID[vault.DossierID]("dossier", c.Query("dossier")); err != nil {
		return err
	}
	if q.Record, err = optionalID[vault.RecordID]("record", c.Query("record")); err != nil {
		return err
	}
	for name, set := range map[string]*bool{"device": &q.Device, "mfa": &q.MFA, "purpose": &q.Purpose} {
		if text := c.Query(name); text != "" {
			if *set, err = strconv.ParseBool(text); err != nil {
				return malformedField(name)
			}
		}
	}
	x, err := s.vault.Explain(c.Request.Context(), a, q)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toExplanation(x))
}

func toDecision(d vault.ScopeDecision) wire.ScopeDecision {
	return wire.ScopeDecision{
		ID: d.ID.String(), Unit: d.Unit.String(), Register: string(d.Register), Secrecy: string(d.Secrecy), Until: d.Until, Basis: d.Basis,
		Decider: d.Decider.String(), Decided: d.Decided,
	}
}

func toGrant(g vault.Grant) wire.Grant {
	w := wire.Grant{
		ID: g.ID.String(), Account: g.Account.String(), Unit: g.Unit.String(), Register: string(g.Register), Dossier: idText(g.Dossier.UUID),
		Kinds: []string{}, Secrecy: string(g.Secrecy), Task: g.Task, Basis: g.Basis, Decision: g.Decision.String(), Grantor: g.Grantor.String(),
		From: g.From, Until: g.Until,
	}
	for _, k := range g.Kinds {
		w.Kinds = append(w.Kinds, string(k))
	}
	for _, f := range g.Forms {
		w.Forms = append(w.Forms, string(f))
	}
	return w
}

func toExplanation(x policy.Explanation) wire.Explanation {
	w := wire.Explanation{Allowed: x.Allowed, Reason: x.Reason, By: []wire.Rule{}, Ways: [][]wire.Need{}}
	for _, r := range x.By {
		effect := "permit"
		if r.Forbid {
			effect = "forbid"
		}
		w.By = append(w.By, wire.Rule{ID: r.ID, Rule: r.Rule, Effect: effect, Label: wire.Label{Vi: r.Vi, En: r.En}})
	}
	for _, way := range x.Ways {
		needs := []wire.Need{}
		for _, n := range way {
			needs = append(needs, wire.Need{Code: n.Code, Label: wire.Label{Vi: n.Vi, En: n.En}})
		}
		w.Ways = append(w.Ways, needs)
	}
	return w
}
