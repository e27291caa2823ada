package api

import (
	"net/http"
	"slices"

	"github.com/gin-gonic/gin"

	"trien/ledger"
	"trien/vault"
)

// maxUnitRows bounds a page of units: what lies deeper or further is reached by its links and by search.
const maxUnitRows = 500

type unitsView struct {
	Day    vault.Date
	Query  string
	Path   []vault.UnitNode // from a root down to the unit whose children are shown
	Units  []vault.UnitNode
	More   bool // there are more than are shown
	Levels map[string]string
}

// unitsPage shows the organisation tree as it was on a day: what stands under one unit, or what a name finds.
func (s *Server) unitsPage(c *gin.Context, v *visit, a vault.Actor) error {
	day, err := optionalDay("on", c.Query("on"))
	if err != nil {
		return err
	}
	under, err := optionalID[vault.UnitID]("under", c.Query("under"))
	if err != nil {
		return err
	}
	query := c.Query("q")
	if len(query) > 200 {
		return invalidField("q")
	}
	l, err := s.vault.UnitsOn(c.Request.Context(), a, day)
	if err != nil {
		return err
	}
	view := unitsView{Day: l.Day, Query: query, Levels: levelNames(v.lang, l.Levels)}
	if query == "" {
		view.Path = pathTo(l.Units, under)
	}
	for _, n := range l.Units {
		if query == "" && n.Parent != under || !vault.NameHas(n.Name, query) {
			continue
		}
		if view.More = len(view.Units) == maxUnitRows; view.More {
			break
		}
		view.Units = append(view.Units, n)
	}
	return s.show(c, v, http.StatusOK, "units", pageData{View: view})
}

// pathTo lists what a unit stands under, from a root down to itself.
func pathTo(units []vault.UnitNode, id vault.UnitID) []vault.UnitNode {
	byID := make(map[vault.UnitID]vault.UnitNode, len(units))
	for _, n := range units {
		byID[n.ID] = n
	}
	var path []vault.UnitNode
	for n, ok := byID[id]; ok; n, ok = byID[n.Parent] {
		path = append(path, n)
	}
	slices.Reverse(path)
	return path
}

func levelNames(l language, levels []vault.UnitLevel) map[string]string {
	names := map[string]string{}
	for _, x := range levels {
		names[x.Code] = pick(l, x.Label.Vi, x.Label.En)
	}
	return names
}

type unitView struct {
	History vault.UnitHistory
	Levels  map[string]string
}

func (s *Server) unitPage(c *gin.Context, v *visit, a vault.Actor) error {
	h, err := s.vault.UnitHistory(c.Request.Context(), a, c.Param("unit"))
	if err != nil {
		return err
	}
	return s.show(c, v, http.StatusOK, "unit", pageData{Title: say(v.lang, "title.unit"), View: unitView{History: h, Levels: levelNames(v.lang, h.Levels)}})
}

// fingerOf is the SHA-256 of a certificate, by which people compare it.
func fingerOf(der []byte) string { return ledger.SumHash(der).String() }
