package api

import (
	"context"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

func (s *Server) postRecord(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return s.refuseBody(c, err)
	}
	return s.deposit(c, a, vault.NewDeposit{Dossier: id})
}

func (s *Server) postVersion(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.RecordID](c, "record")
	if err != nil {
		return s.refuseBody(c, err)
	}
	return s.deposit(c, a, vault.NewDeposit{Record: id})
}

// deposit answers 201 with the version, and with its proof if the client prefers to wait and it comes in time.
func (s *Server) deposit(c *gin.Context, a vault.Actor, n vault.NewDeposit) error {
	n.IdempotencyKey = c.GetHeader(wire.IdempotencyKey)
	v, err := s.takeDeposit(c, a, n, nil)
	if err != nil {
		return err
	}
	done := wire.Deposited{Version: toVersion(v)}
	if wait := preferredWait(c); wait > 0 {
		c.Header("Preference-Applied", "wait")
		ctx, cancel := context.WithTimeout(c.Request.Context(), wait)
		defer cancel()
		// The deposit is done whatever becomes of the wait: without the proof the client asks again.
		if p, err := s.vault.Receipt(ctx, a, v.ID, true); err == nil {
			proof := toProof(v.ID, p)
			done.Proof, done.Version.Logged = &proof, true
			if i, ok := receiptIndex(p.Receipt); ok {
				done.Version.Index = &i
			}
		}
	}
	c.Header("Location", "/api/v1/versions/"+v.ID.String())
	return s.writeJSON(c, http.StatusCreated, done)
}

const (
	longestWait = 60 * time.Second
	usualWait   = 30 * time.Second
)

// preferredWait reads ?wait=true or Prefer: wait=N (RFC 7240, seconds); zero: do not wait.
func preferredWait(c *gin.Context) time.Duration {
	if c.Query("wait") == "true" {
		return usualWait
	}
	for _, header := range c.Request.Header.Values("Prefer") {
		for part := range strings.SplitSeq(header, ",") {
			value, ok := strings.CutPrefix(strings.ToLower(strings.TrimSpace(part)), "wait=")
			if n, err := strconv.Atoi(value); ok && err == nil && n > 0 {
				return min(time.Duration(min(n, 3600))*time.Second, longestWait)
			}
		}
	}
	return 0
}

func (s *Server) getVersion(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	v, err := s.vault.Version(c.Request.Context(), a, id)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toVersion(v))
}

func (s *Server) getContent(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	purpose, err := statedPurpose(c)
	if err != nil {
		return err
	}
	content, err := s.vault.Disclose(c.Request.Context(), a, id, purpose)
	if err != nil {
		return err
	}
	return s.stream(c, content)
}

// statedPurpose reads why content is read: the X-Purpose header, percent-encoded, or else ?purpose=.
func statedPurpose(c *gin.Context) (string, error) {
	header := c.GetHeader(wire.Purpose)
	if header == "" {
		return c.Query("purpose"), nil
	}
	purpose, err := url.PathUnescape(header)
	if err != nil {
		return "", malformedField(wire.Purpose)
	}
	return purpose, nil
}

func (s *Server) getReceipt(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	p, err := s.vault.Receipt(c.Request.Context(), a, id, preferredWait(c) > 0)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toProof(id, p))
}

// postSubmissions answers 200 with what became of each version: one that is refused does not keep the others out.
func (s *Server) postSubmissions(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.Submissions](s, c)
	if err != nil {
		return err
	}
	signer, err := optionalID[vault.AccountID]("signer", in.Signer)
	if err != nil {
		return err
	}
	if len(in.Versions) > vault.MaxBatch {
		return invalidField("versions")
	}
	ids := make([]vault.VersionID, len(in.Versions))
	for i, text := range in.Versions {
		if ids[i], err = parseID[vault.VersionID]("versions", text); err != nil {
			return err
		}
	}
	done, err := s.vault.SubmitAll(c.Request.Context(), a, ids, signer, in.Reason)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(done, func(d vault.Submitted) wire.Submitted {
		w := wire.Submitted{Version: d.Version.String()}
		if d.Err != nil {
			p := problemOf(c, s.judge(c, d.Err), fieldOf(d.Err))
			w.Problem = &p
			return w
		}
		j := toJob(d.Job)
		w.Job = &j
		return w
	}))
}

func (s *Server) postSubmission(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.VersionID](c, "version")
	if err != nil {
		return err
	}
	in, err := readJSON[wire.Submission](s, c)
	if err != nil {
		return err
	}
	signer, err := optionalID[vault.AccountID]("signer", in.Signer)
	if err != nil {
		return err
	}
	j, err := s.vault.Submit(c.Request.Context(), a, id, signer, in.Reason)
	if err != nil {
		return err
	}
	c.Header("Location", "/api/v1/signing-jobs/"+j.ID.String())
	return s.writeJSON(c, http.StatusCreated, toJob(j))
}
