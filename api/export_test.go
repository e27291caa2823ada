package api

import (
	"regexp"

	"github.com/gin-gonic/gin"
)

var ginParameter = regexp.MustCompile(`[:*]([a-z]+)`)

// Routes lists the routes of both listeners as openapi.yaml writes them.
func Routes(s *Server) []string {
	var all []string
	for _, e := range []*gin.Engine{s.user, s.admin} {
		for _, r := range e.Routes() {
			all = append(all, r.Method+" "+ginParameter.ReplaceAllString(r.Path, "{$1}"))
		}
	}
	return all
}

// Codes lists the stable codes of the table.
func Codes() map[string]int {
	all := map[string]int{unknown.code: unknown.status}
	for _, k := range kinds {
		all[k.code] = k.status
	}
	return all
}
