package api

import (
	"encoding/json"
	"fmt"
	"mime"
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

func (s *Server) getEventProof(c *gin.Context, a vault.Actor) error {
	p, err := s.eventProof(c, a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, p)
}

func (s *Server) eventProof(c *gin.Context, a vault.Actor) (wire.EventProof, error) {
	id, err := pathID[vault.EventID](c, "event")
	if err != nil {
		return wire.EventProof{}, err
	}
	p, err := s.vault.EventProof(c.Request.Context(), a, id)
	if err != nil {
		return wire.EventProof{}, err
	}
	return wire.EventProof{Event: id.String(), Text: string(p.Text), Salt: p.Salt[:], Proof: string(p.Proof)}, nil
}

func (s *Server) listOwnDossiers(c *gin.Context, a vault.Actor) error {
	own, err := s.vault.OwnDossiers(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, wire.OwnDossiers{
		Dossiers: toList(own.Dossiers, toOwnDossier).Items, Registers: toList(own.Rules, toSubjectRule).Items,
	})
}

func toOwnDossier(d vault.OwnDossier) wire.OwnDossier {
	return wire.OwnDossier{ID: d.ID.String(), Register: string(d.Register), Unit: d.Unit.String(), UnitName: d.UnitName, Created: d.Created}
}

func toSubjectRule(r vault.RegisterRule) wire.SubjectRule {
	out := wire.SubjectRule{Register: string(r.Register), Showing: string(r.Rule.Shows()), DelayDays: r.Rule.Days()}
	if r.Rule.Basis != (vault.Label{}) {
		basis := toLabel(r.Rule.Basis)
		out.Basis = &basis
	}
	return out
}

func (s *Server) listOwnEvents(c *gin.Context, a vault.Actor) error {
	page, next, err := s.ownRecord(c, a)
	if err != nil {
		return err
	}
	l := toList(page.Lines, toOwnEvent)
	l.Next = next
	return s.writeJSON(c, http.StatusOK, l)
}

// ownRecord reads the page asked for, and the "after" of the following one.
func (s *Server) ownRecord(c *gin.Context, a vault.Actor) (page vault.OwnRecord, next string, err error) {
	var q vault.EventQuery
	if q.Dossier, err = pathID[vault.DossierID](c, "dossier"); err != nil {
		return page, "", err
	}
	if q.After, err = optionalID[vault.EventID]("after", c.Query("after")); err != nil {
		return page, "", err
	}
	if q.Limit, err = limit(c, usualPage, 200); err != nil {
		return page, "", err
	}
	if page, err = s.vault.OwnAccessRecord(c.Request.Context(), a, q); err != nil {
		return page, "", err
	}
	if len(page.Lines) == q.Limit {
		next = page.Lines[len(page.Lines)-1].ID.String()
	}
	return page, next, nil
}

func toOwnEvent(l vault.OwnLine) wire.OwnEvent {
	e := toEvent(l.Event)
	return wire.OwnEvent{
		ID: e.ID, Time: e.Time, UnitName: l.UnitName, Role: e.Role, Post: l.Post, Reader: l.Reader, Action: e.Action, Outcome: e.Outcome,
		Reason: e.Reason, Purpose: e.Purpose, Target: e.Target,
	}
}

// eventProofFile is the proof as a file, to be kept.
func (s *Server) eventProofFile(c *gin.Context, _ *visit, a vault.Actor) error {
	p, err := s.eventProof(c, a)
	if err != nil {
		return err
	}
	body, err := json.MarshalIndent(p, "", "  ")
	if err != nil {
		return fmt.Errorf("writing a proof: %w", err)
	}
	c.Header("Content-Disposition", mime.FormatMediaType("attachment", map[string]string{"filename": "event-" + p.Event + ".json"}))
	s.writeBytes(c, http.StatusOK, "application/json", body)
	return nil
}

func (s *Server) ownDossiersPage(c *gin.Context, v *visit, a vault.Actor) error {
	own, err := s.vault.OwnDossiers(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.show(c, v, http.StatusOK, "own", pageData{View: own})
}

type ownRecordView struct {
	vault.OwnRecord
	After string // the page after this one; empty: none
}

func (s *Server) ownRecordPage(c *gin.Context, v *visit, a vault.Actor) error {
	page, next, err := s.ownRecord(c, a)
	if err != nil {
		return err
	}
	return s.show(c, v, http.StatusOK, "ownrecord", pageData{View: ownRecordView{page, next}})
}
