package api

import (
	"context"
	"errors"
	"log/slog"
	"net/http"
	"strings"
	"time"

	"github.com/gin-gonic/gin"
	"github.com/prometheus/client_golang/prometheus"

	"trien/ledger"
	"trien/ledger/tiles"
)

// DefaultLog is the log that is meant where a request names none: that of versions.
const DefaultLog = "records"

// PublicLog is a log as strangers read it.
type PublicLog interface {
	// Read returns a resource of C2SP tlog-tiles; the error wraps [tiles.ErrMissing] if there is none.
	Read(ctx context.Context, path string) ([]byte, error)
	Checkpoint(ctx context.Context) ([]byte, error)
	Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error)
	Policy() *ledger.Policy
}

// Publication says how far strangers can see a log.
type Publication struct {
	Size      uint64
	Published time.Time // zero: nothing is
	Failing   bool      // this node publishes, and does not get on
}

// How long caches may keep what strangers read.
const (
	cacheForever = "public, max-age=31536000, immutable"
	cacheBriefly = "public, max-age=1"
	cachePolicy  = "public, max-age=60"
)

// routeLogs lists the routes by which anybody reads the logs, with tools that know nothing of us.
func (s *Server) routeLogs(e *gin.Engine) {
	open := e.Group("/ledger/:log", within(patience))
	open.GET("/checkpoint", s.open(s.getPublicCheckpoint))
	open.GET("/policy", s.open(s.getPublicPolicy))
	open.GET("/tile/*path", s.open(s.getTile))
}

// publicLog is the one that the path names.
func (s *Server) publicLog(c *gin.Context) (PublicLog, error) {
	l, ok := s.config.Logs[c.Param("log")]
	if !ok {
		return nil, errRoute
	}
	return l, nil
}

// askedLog is the one that the query names, or the log of versions.
func (s *Server) askedLog(c *gin.Context) (interface {
	Checkpoint(ctx context.Context) ([]byte, error)
	Consistency(ctx context.Context, older, newer uint64) ([]ledger.Hash, error)
	Policy() *ledger.Policy
}, error) {
	name := c.DefaultQuery("log", DefaultLog)
	if l, ok := s.config.Logs[name]; ok {
		return l, nil
	}
	if name == DefaultLog {
		return s.vault, nil
	}
	return nil, invalidField("log")
}

func (s *Server) getPublicCheckpoint(c *gin.Context) error {
	return s.sendResource(c, tiles.CheckpointPath, plainText, cacheBriefly)
}

func (s *Server) getTile(c *gin.Context) error {
	path := strings.TrimPrefix(c.Request.URL.Path, "/ledger/"+c.Param("log")+"/")
	if _, err := tiles.ParsePath(path); err != nil {
		return errRoute
	}
	return s.sendResource(c, path, "application/octet-stream", cacheForever)
}

// sendResource sends what the public copy has. A resource is small, and few are at hand at one time.
func (s *Server) sendResource(c *gin.Context, path, mediaType, cache string) error {
	l, err := s.publicLog(c)
	if err != nil {
		return err
	}
	leave, err := s.strangers.enter(c.Request.Context(), c.ClientIP())
	if err != nil {
		return err
	}
	defer leave()
	data, err := l.Read(c.Request.Context(), path)
	if errors.Is(err, tiles.ErrMissing) {
		return errRoute
	}
	if err != nil {
		return err
	}
	publicHeaders(c, cache)
	s.writeBytes(c, http.StatusOK, mediaType, data)
	return nil
}

func (s *Server) getPublicPolicy(c *gin.Context) error {
	l, err := s.publicLog(c)
	if err != nil {
		return err
	}
	publicHeaders(c, cachePolicy)
	s.writeBytes(c, http.StatusOK, plainText, l.Policy().Text())
	return nil
}

// publicHeaders open an answer to caches, and to pages of other sites: it holds nothing that is not everybody's.
func publicHeaders(c *gin.Context, cache string) {
	c.Header("Cache-Control", cache)
	c.Header("Access-Control-Allow-Origin", "*")
	c.Header("Cross-Origin-Resource-Policy", "cross-origin")
}

// publications asks each log at each scrape how far strangers can see.
type publications struct {
	of  map[string]func(context.Context) (Publication, error)
	log *slog.Logger
}

var (
	publishedSize = prometheus.NewDesc("trien_ledger_published_size", "Leaves of the newest published checkpoint.", []string{"log"}, nil)
	publishedAge  = prometheus.NewDesc("trien_ledger_published_age_seconds", "How long ago the newest checkpoint was published.", []string{"log"}, nil)
	publishFails  = prometheus.NewDesc("trien_ledger_publishing_failing", "1 if this node publishes the log and does not get on.", []string{"log"}, nil)
)

func (p *publications) Describe(ch chan<- *prometheus.Desc) {
	ch <- publishedSize
	ch <- publishedAge
	ch <- publishFails
}

func (p *publications) Collect(ch chan<- prometheus.Metric) {
	ctx, cancel := context.WithTimeout(context.Background(), 5*time.Second)
	defer cancel()
	for name, ask := range p.of {
		at, err := ask(ctx)
		if err != nil {
			p.log.WarnContext(ctx, "publishing of the ledger cannot be looked at", slog.Any("error", err))
			continue
		}
		failing := 0.0
		if at.Failing {
			failing = 1
		}
		ch <- prometheus.MustNewConstMetric(publishFails, prometheus.GaugeValue, failing, name)
		if at.Published.IsZero() {
			continue
		}
		ch <- prometheus.MustNewConstMetric(publishedSize, prometheus.GaugeValue, float64(at.Size), name)
		ch <- prometheus.MustNewConstMetric(publishedAge, prometheus.GaugeValue, time.Since(at.Published).Seconds(), name)
	}
}
