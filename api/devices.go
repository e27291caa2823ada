package api

import (
	"encoding/hex"
	"net/http"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/signing/offer"
	"trien/vault"
)

func (s *Server) postDevice(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewDevice](s, c)
	if err != nil {
		return err
	}
	d, key, err := s.vault.EnrolDevice(c.Request.Context(), a, in.Name, in.PublicKey)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, wire.EnrolledDevice{Device: toDevice(d), OfferKey: key})
}

func (s *Server) listDevices(c *gin.Context, a vault.Actor) error {
	mine, err := s.vault.Devices(c.Request.Context(), a)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(mine, toDevice))
}

func (s *Server) deleteDevice(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DeviceID](c, "device")
	if err != nil {
		return err
	}
	if err := s.vault.RevokeDevice(c.Request.Context(), a, id); err != nil {
		return err
	}
	c.Status(http.StatusNoContent)
	return nil
}

// postDeviceSession signs a device in, within the limits of the caller's address.
func (s *Server) postDeviceSession(c *gin.Context) error {
	in, err := readJSON[wire.DeviceSession](s, c)
	if err != nil {
		return err
	}
	l := vault.DeviceLogin{Time: in.Time, Signature: in.Signature}
	if l.Device, err = parseID[vault.DeviceID]("device", in.Device); err != nil {
		return err
	}
	nonce, err := hex.DecodeString(in.Nonce)
	if err != nil || len(nonce) != offer.NonceSize {
		return malformedField("nonce")
	}
	l.Nonce = [offer.NonceSize]byte(nonce)
	leave, err := s.signIn.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		s.metrics.signInFailed(err)
		return err
	}
	defer leave()
	session, token, err := s.vault.DeviceSession(c.Request.Context(), l, source(c))
	if err != nil {
		s.metrics.signInFailed(err)
		return err
	}
	a, err := s.vault.Authenticate(c.Request.Context(), token, source(c))
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, wire.Session{Token: string(token), Expires: session.Expires, Me: toMe(a)})
}

func (s *Server) getOffer(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.JobID](c, "job")
	if err != nil {
		return err
	}
	signed, err := s.vault.Offer(c.Request.Context(), a, id, s.publicURL(c))
	if err != nil {
		return err
	}
	c.Data(http.StatusOK, "text/plain; charset=utf-8", signed)
	return nil
}

func toDevice(d vault.Device) wire.Device {
	w := wire.Device{ID: d.ID.String(), Account: d.Account.String(), Name: d.Name, PublicKey: d.Key[:], Enrolled: d.Enrolled}
	if !d.Revoked.IsZero() {
		w.Revoked = &d.Revoked
	}
	return w
}
