package api

import (
	_ "embed"
	"net/http"
	"strconv"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/ledger"
	"trien/vault"
)

//go:embed openapi.yaml
var openAPI []byte

func (s *Server) getOpenAPI(c *gin.Context) error {
	s.writeBytes(c, http.StatusOK, "application/yaml; charset=utf-8", openAPI)
	return nil
}

const plainText = "text/plain; charset=utf-8"

func (s *Server) getCheckpoint(c *gin.Context) error {
	l, err := s.askedLog(c)
	if err != nil {
		return err
	}
	checkpoint, err := l.Checkpoint(c.Request.Context())
	if err != nil {
		return err
	}
	s.writeBytes(c, http.StatusOK, plainText, checkpoint)
	return nil
}

func (s *Server) getConsistency(c *gin.Context) error {
	l, err := s.askedLog(c)
	if err != nil {
		return err
	}
	older, err := treeSize(c, "older")
	if err != nil {
		return err
	}
	newer, err := treeSize(c, "newer")
	if err != nil {
		return err
	}
	if older > newer {
		return invalidField("older")
	}
	proof, err := l.Consistency(c.Request.Context(), older, newer)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, wire.Consistency{
		Older: older, Newer: newer, Proof: toList(proof, ledger.Hash.String).Items,
	})
}

func treeSize(c *gin.Context, name string) (uint64, error) {
	n, err := strconv.ParseUint(c.Query(name), 10, 63)
	if err != nil {
		return 0, malformedField(name)
	}
	return n, nil
}

func (s *Server) getPolicy(c *gin.Context) error {
	l, err := s.askedLog(c)
	if err != nil {
		return err
	}
	s.writeBytes(c, http.StatusOK, plainText, l.Policy().Text())
	return nil
}

func (s *Server) getAnchors(c *gin.Context) error {
	s.writeBytes(c, http.StatusOK, "application/pem-certificate-chain", s.vault.Anchors().PEM())
	return nil
}

const usualEvents = 100

func (s *Server) listEvents(c *gin.Context, a vault.Actor) error {
	q, err := eventQuery(c)
	if err != nil {
		return err
	}
	events, err := s.vault.AccessRecord(c.Request.Context(), a, q)
	if err != nil {
		return err
	}
	l := toList(events, toEvent)
	if len(events) == q.Limit {
		l.Next = events[len(events)-1].ID.String()
	}
	return s.writeJSON(c, http.StatusOK, l)
}

func eventQuery(c *gin.Context) (q vault.EventQuery, err error) {
	if q.Dossier, err = optionalID[vault.DossierID]("dossier", c.Query("dossier")); err != nil {
		return q, err
	}
	if q.After, err = optionalID[vault.EventID]("after", c.Query("after")); err != nil {
		return q, err
	}
	q.Limit, err = limit(c, usualEvents, 500)
	return q, err
}
