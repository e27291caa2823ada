package api

import (
	"context"
	"crypto/rand"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"runtime/debug"
	"time"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
)

const keyRequestID = "request_id"

// observe names the request, and counts and logs it when it is over: route and status, never address, query or body.
func (s *Server) observe(c *gin.Context) {
	start := time.Now()
	id := rand.Text()[:16]
	c.Set(keyRequestID, id)
	c.Header(wire.RequestID, id)
	firstDeadlines(c.Writer, c.Request, s.limits.Stall)
	defer func() {
		route, status := c.FullPath(), c.Writer.Status()
		if route == "" {
			route = "unmatched"
		}
		took := time.Since(start)
		s.metrics.request(route, c.Request.Method, status, took)
		s.log.LogAttrs(c.Request.Context(), slog.LevelInfo, "request served", slog.String(keyRequestID, id),
			slog.String("method", knownMethod(c.Request.Method)), slog.String("route", route), slog.Int("status", status),
			slog.Duration("took", took), slog.Int("bytes", c.Writer.Size()))
	}()
	c.Next()
}

// recover turns a panic into a 500, or ends the connection if the answer has begun.
func (s *Server) recover(c *gin.Context) {
	defer func() {
		cause := recover()
		if cause == nil {
			return
		}
		if err, ok := cause.(error); ok && errors.Is(err, http.ErrAbortHandler) {
			panic(http.ErrAbortHandler)
		}
		s.log.LogAttrs(c.Request.Context(), slog.LevelError, "handler panicked", slog.String(keyRequestID, requestID(c)),
			slog.String("type", fmt.Sprintf("%T", cause)), slog.String("stack", string(debug.Stack())))
		if c.Writer.Written() {
			panic(http.ErrAbortHandler)
		}
		if isPage(c) {
			s.failPage(c, &visit{lang: pageLanguage(c)}, errUnforeseen)
			return
		}
		s.writeProblem(c, unknown, "")
	}()
	c.Next()
}

// loopback: on this machine itself other programs speak plain HTTP under the same name, whatever their port.
func loopback(host string) bool {
	if name, _, err := net.SplitHostPort(host); err == nil {
		host = name
	}
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}

const contentPolicy = "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; form-action 'self'; " +
	"frame-ancestors 'none'; connect-src 'self'; base-uri 'none'"

// secureHeaders stand on every answer; a handler may make them stricter.
func secureHeaders(c *gin.Context) {
	h := c.Writer.Header()
	h.Set("Content-Security-Policy", contentPolicy)
	h.Set("X-Content-Type-Options", "nosniff")
	h.Set("X-Frame-Options", "DENY")
	h.Set("Referrer-Policy", "no-referrer")
	h.Set("Cross-Origin-Opener-Policy", "same-origin")
	h.Set("Cross-Origin-Resource-Policy", "same-origin")
	h.Set("Permissions-Policy", "camera=(), microphone=(), geolocation=(), payment=(), usb=()")
	h.Set("Cache-Control", "no-store")
	if c.Request.TLS != nil && !loopback(c.Request.Host) {
		h.Set("Strict-Transport-Security", "max-age=63072000")
	}
	c.Next()
}

// within bounds how long a handler may work.
func within(d time.Duration) gin.HandlerFunc {
	return func(c *gin.Context) {
		ctx, cancel := context.WithTimeout(c.Request.Context(), d)
		defer cancel()
		c.Request = c.Request.WithContext(ctx)
		c.Next()
	}
}

func requestID(c *gin.Context) string { return c.GetString(keyRequestID) }

func knownMethod(m string) string {
	switch m {
	case http.MethodGet, http.MethodHead, http.MethodPost, http.MethodPut, http.MethodPatch, http.MethodDelete, http.MethodOptions:
		return m
	}
	return "other"
}
