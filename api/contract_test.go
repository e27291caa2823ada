package api_test

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/getkin/kin-openapi/openapi3"
	"github.com/getkin/kin-openapi/openapi3filter"
	"github.com/getkin/kin-openapi/routers"

	"trien/api"
	"trien/vault"
)

// contract is openapi.yaml, opened.
type contract struct {
	doc   *openapi3.T
	paths map[*regexp.Regexp]string
}

var openContract = sync.OnceValues(func() (*contract, error) {
	doc, err := openapi3.NewLoader().LoadFromFile("openapi.yaml")
	if err != nil {
		return nil, err
	}
	c := &contract{doc: doc, paths: map[*regexp.Regexp]string{}}
	for path := range doc.Paths.Map() {
		c.paths[regexp.MustCompile("^"+parameter.ReplaceAllString(regexp.QuoteMeta(path), "[^/]+")+"$")] = path
	}
	return c, nil
})

var parameter = regexp.MustCompile(`\\\{[a-z]+\\\}`)

func contractOf(t *testing.T) *contract {
	t.Helper()
	c, err := openContract()
	if err != nil {
		t.Fatal(err)
	}
	return c
}

// find returns the route of a request; nil if the contract has none.
func (c *contract) find(req *http.Request) *routers.Route {
	var best string
	for re, path := range c.paths {
		// "/sessions/current" goes before "/sessions/{id}".
		if re.MatchString(req.URL.Path) && (best == "" || strings.Count(path, "{") < strings.Count(best, "{")) {
			best = path
		}
	}
	item := c.doc.Paths.Value(best)
	if item == nil || item.GetOperation(req.Method) == nil {
		return nil
	}
	return &routers.Route{Spec: c.doc, Path: best, PathItem: item, Method: req.Method, Operation: item.GetOperation(req.Method)}
}

// holds wraps a handler and fails the test when an answer departs from the contract.
func (c *contract) holds(t *testing.T, h http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, req *http.Request) {
		route := c.find(req)
		if route == nil {
			h.ServeHTTP(w, req)
			return
		}
		rec := &recorded{ResponseWriter: w, status: http.StatusOK}
		h.ServeHTTP(rec, req)
		options := &openapi3filter.Options{IncludeResponseStatus: true, MultiError: true}
		if !strings.Contains(rec.Header().Get("Content-Type"), "json") {
			options.ExcludeResponseBody = true
		}
		input := &openapi3filter.ResponseValidationInput{
			RequestValidationInput: &openapi3filter.RequestValidationInput{Request: req, Route: route, Options: options},
			Status:                 rec.status, Header: rec.Header(), Body: io.NopCloser(bytes.NewReader(rec.body.Bytes())), Options: options,
		}
		if err := openapi3filter.ValidateResponse(context.Background(), input); err != nil {
			t.Errorf("%s %s: answer %d departs from openapi.yaml: %v\n%.2000s", req.Method, route.Path, rec.status, err, rec.body.String())
		}
	})
}

// recorded keeps a copy of an answer as it goes out.
type recorded struct {
	http.ResponseWriter
	status int
	body   bytes.Buffer
}

func (r *recorded) WriteHeader(status int) { r.status = status; r.ResponseWriter.WriteHeader(status) }
func (r *recorded) Write(p []byte) (int, error) {
	if r.body.Len() < 4<<20 {
		r.body.Write(p)
	}
	return r.ResponseWriter.Write(p)
}
func (r *recorded) Unwrap() http.ResponseWriter { return r.ResponseWriter }

func TestContractIsValid(t *testing.T) {
	doc := contractOf(t).doc
	if err := doc.Validate(t.Context()); err != nil {
		t.Fatal(err)
	}
	if doc.OpenAPI != "3.1.0" {
		t.Errorf("openapi is %q", doc.OpenAPI)
	}
}

// TestEveryRouteIsDocumented holds the routes of both listeners and openapi.yaml against each other, both ways.
func TestEveryRouteIsDocumented(t *testing.T) {
	s := api.New(api.Config{Vault: &vault.Vault{}})
	served := map[string]bool{}
	for _, route := range api.Routes(s) {
		served[route] = true
	}
	documented := map[string]bool{}
	for path, item := range contractOf(t).doc.Paths.Map() {
		for method := range item.Operations() {
			documented[method+" "+path] = true
		}
	}
	for route := range served {
		if !documented[route] {
			t.Errorf("%s is served and does not stand in openapi.yaml", route)
		}
	}
	for route := range documented {
		if !served[route] {
			t.Errorf("%s stands in openapi.yaml and is not served", route)
		}
	}
	if len(served) < 50 {
		t.Errorf("only %d routes were found", len(served))
	}
}

// TestOperationsAreNamed: every operation has a unique id and, unless it is public, names its security.
func TestOperationsAreNamed(t *testing.T) {
	var ids []string
	for path, item := range contractOf(t).doc.Paths.Map() {
		for method, op := range item.Operations() {
			if op.OperationID == "" || op.Summary == "" || slices.Contains(ids, op.OperationID) {
				t.Errorf("%s %s: no id of its own or no summary", method, path)
			}
			ids = append(ids, op.OperationID)
		}
	}
}
