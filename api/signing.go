package api

import (
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
	"trien/vault/envelope"
)

func (s *Server) listJobs(c *gin.Context, a vault.Actor) error {
	waiting, err := s.vault.Jobs(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(waiting, toJob))
}

func (s *Server) getJob(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	j, err := s.vault.Job(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toJob(j))
}

func (s *Server) deleteJob(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	if err := s.vault.WithdrawJob(c.Request.Context(), a, id); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

func (s *Server) getJobDocument(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	content, err := s.vault.JobDocument(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.stream(c, content)
}

func (s *Server) postSignature(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.Signature](s, c)
	if err != nil {
		return err
	}
	done, err := s.vault.Fulfil(c.Request.Context(), a, id, vault.Signature{Certificate: in.Certificate, Chain: in.Chain, Value: in.Value})
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toFulfilled(done))
}

// signedRoom is what signatures, evidence and time-stamps may add to a document, in bytes.
const signedRoom = 16 << 20

// putSignedDocument takes the file that another program signed. It waits in an encrypted scratch file while it is judged.
func (s *Server) putSignedDocument(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return s.refuseBody(c, err)
	}
	// Whose job it is is asked before the file is taken.
	if _, err := s.vault.Job(c.Request.Context(), a, id); err != nil {
		return s.refuseBody(c, err)
	}
	return s.spooled(c, s.vault.MaxSize()+signedRoom, bareFile, func(r *envelope.Reader) error {
		done, err := s.vault.FulfilByFile(c.Request.Context(), a, id, r, r.Size())
		if err != nil {
			return err
		}
		return s.writeJSON(c, http.StatusOK, toFulfilled(done))
	})
}

func toFulfilled(done vault.Fulfilled) (out wire.Fulfilled) {
	if done.Version != nil {
		v := toVersion(*done.Version)
		out.Version = &v
	}
	if done.Export != nil {
		x := toExport(*done.Export)
		out.Export = &x
	}
	return out
}

func (s *Server) postExport(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.NewExport](s, c)
	if err != nil {
		return err
	}
	n, err := newExport(in)
	if err != nil {
		return err
	}
	x, j, err := s.vault.ExportDossier(c.Request.Context(), a, id, n)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/exports/"+x.ID.String())
	return s.writeJSON(c, http.StatusCreated, wire.Exported{Export: toExport(x), Job: toJob(j)})
}

func newExport(in wire.NewExport) (vault.NewExport, error) {
	n := vault.NewExport{Purpose: in.Purpose}
	if in.Purpose == "" {
		return n, invalidField("purpose")
	}
	var err error
	if n.Signer, err = optionalID[vault.AccountID]("signer", in.Signer); err != nil {
		return n, err
	}
	n.Recipient, err = optionalID[vault.AccountID]("recipient", in.Recipient)
	return n, err
}

func (s *Server) listExports(c *gin.Context, a vault.Actor) error {
	mine, err := s.vault.MyExports(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(mine, toExport))
}

func (s *Server) getExport(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.ExportID](c, "export")
	if err != nil {
		return err
	}
	x, err := s.vault.Export(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toExport(x))
}

func (s *Server) getExportContent(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.ExportID](c, "export")
	if err != nil {
		return err
	}
	content, err := s.vault.OpenExport(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.stream(c, content)
}
