package api

import (
	"mime"
	"net/http"
	"strings"

	"github.com/gin-gonic/gin"

	"trien/api/wire"
	"trien/vault"
)

func (s *Server) getUnitTree(c *gin.Context, a vault.Actor) error {
	day, err := optionalDay("on", c.Query("on"))
	if err != nil {
		return err
	}
	l, err := s.vault.UnitsOn(c.Request.Context(), a, day)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, wire.UnitTree{
		Day: string(l.Day), Levels: toList(l.Levels, toUnitLevel).Items, Items: toList(l.Units, toUnitNode).Items,
	})
}

// optionalDay reads a day of the address or a form; nothing is the open one.
func optionalDay(field, s string) (vault.Date, error) {
	if s == "" {
		return "", nil
	}
	d, err := vault.ParseDate(s)
	if err != nil {
		return "", malformedField(field)
	}
	return d, nil
}

func (s *Server) getUnitHistory(c *gin.Context, a vault.Actor) error {
	h, err := s.vault.UnitHistory(c.Request.Context(), a, c.Param("unit"))
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toUnitHistory(h))
}

func (s *Server) getUnit(c *gin.Context, a vault.Actor) error {
	day, err := optionalDay("on", c.Query("on"))
	if err != nil {
		return err
	}
	h, err := s.vault.UnitHistory(c.Request.Context(), a, c.Param("unit"))
	if err != nil {
		return err
	}
	if day == "" {
		day = h.Today
	}
	return s.writeJSON(c, http.StatusOK, toUnitState(h.On(day)))
}

func (s *Server) postUnitAct(c *gin.Context, a vault.Actor) error {
	in, err := readJSON[wire.NewUnitAct](s, c)
	if err != nil {
		return err
	}
	n := vault.NewUnitAct{
		Kind: vault.UnitActKind(in.Kind), Effective: vault.Date(in.Effective), Basis: vault.Basis{Number: in.Decision.Number, Date: vault.Date(in.Decision.Date)},
		Unit: in.Unit, Units: in.Units, Into: in.Into, Name: in.Name, Code: in.Code, Level: in.Level, Parent: in.Parent, Ends: in.Ends,
		Successor: in.Successor, Acting: in.Acting, Until: vault.Date(in.Until), Certificate: in.Certificate,
	}
	if n.Account, err = optionalID[vault.AccountID]("account", in.Account); err != nil {
		return err
	}
	for _, u := range in.New {
		n.New = append(n.New, vault.NewUnit(u))
	}
	act, err := s.vault.ActOnUnits(c.Request.Context(), a, n)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusCreated, toUnitAct(act))
}

// postUnitImport takes a table of units; see [vault.Vault.ImportUnits] for its form.
func (s *Server) postUnitImport(c *gin.Context, a vault.Actor) error {
	media, _, err := mime.ParseMediaType(c.GetHeader("Content-Type"))
	if err != nil || media != "text/csv" {
		return errContentType
	}
	dry := true
	switch c.Query("apply") {
	case "true":
		dry = false
	case "", "false":
	default:
		return malformedField("apply")
	}
	done, err := s.vault.ImportUnits(c.Request.Context(), a, s.body(c, vault.MaxUnitImport), dry)
	if err != nil {
		return err
	}
	out := wire.UnitImport{
		Lines: done.Lines, Established: done.Established, Unchanged: done.Unchanged, Applied: done.Applied,
		Refused: make([]wire.RefusedUnit, 0, len(done.Refused)),
	}
	for _, r := range done.Refused {
		out.Refused = append(out.Refused, s.toRefusedUnit(c, r))
	}
	return s.writeJSON(c, http.StatusOK, out)
}

func (s *Server) toRefusedUnit(c *gin.Context, r vault.RefusedUnit) wire.RefusedUnit {
	k := s.judge(c, r.Err)
	p := problemOf(c, k, "")
	return wire.RefusedUnit{Line: r.Line, Unit: strings.ToValidUTF8(r.Code, ""), Code: p.Code, Title: p.Title, Detail: p.Detail, En: p.En}
}

func (s *Server) listHoldings(c *gin.Context, a vault.Actor) error {
	id, err := pathID[vault.DossierID](c, "dossier")
	if err != nil {
		return err
	}
	on, err := optionalDay("on", c.Query("on"))
	if err != nil {
		return err
	}
	held, err := s.vault.Holdings(c.Request.Context(), a, id, on)
	if err != nil {
		return err
	}
	return s.writeJSON(c, http.StatusOK, toList(held, toHolding))
}

func toUnit(u vault.Unit) wire.Unit {
	return wire.Unit{ID: u.ID.String(), Name: u.Name, Code: u.Code, Level: u.Level, From: string(u.From), To: string(u.To)}
}

func toUnitLevel(l vault.UnitLevel) wire.UnitLevel {
	return wire.UnitLevel{Code: l.Code, Label: toLabel(l.Label)}
}

func toUnitNode(n vault.UnitNode) wire.UnitNode {
	return wire.UnitNode{Unit: toUnit(n.Unit), Parent: idText(n.Parent.UUID), Depth: n.Depth, Children: n.Children}
}

func toUnitAct(a vault.UnitAct) wire.UnitAct {
	return wire.UnitAct{
		ID: a.ID.String(), Kind: string(a.Kind), Effective: string(a.Effective), Decision: wire.Decision{Number: a.Basis.Number, Date: string(a.Basis.Date)},
		Account: a.Account.String(), Time: a.Time, Event: a.Event.String(), Text: string(a.Text),
		Units: toList(a.Units, func(id vault.UnitID) string { return id.String() }).Items,
	}
}

func toUnitHistory(h vault.UnitHistory) wire.UnitHistory {
	return wire.UnitHistory{
		Unit:  toUnit(h.Unit),
		Names: toList(h.Names, func(n vault.UnitName) wire.UnitName { return wire.UnitName{From: string(n.From), Name: n.Name} }).Items,
		Parents: toList(h.Parents, func(p vault.UnitParent) wire.UnitParent {
			return wire.UnitParent{From: string(p.From), Parent: idText(p.Parent.UUID), Name: h.ParentNames[p.Parent]}
		}).Items,
		Heads: toList(h.Heads, toUnitHead).Items,
		Seals: toList(h.Seals, func(x vault.UnitSeal) wire.UnitSeal {
			return wire.UnitSeal{From: string(x.From), Certificate: x.Certificate}
		}).Items,
		Acts: toList(h.Acts, toUnitAct).Items,
	}
}

func toUnitHead(x vault.NamedHead) wire.UnitHead {
	return wire.UnitHead{From: string(x.From), Account: idText(x.Account.UUID), Name: x.Name, Post: x.Post, Acting: x.Acting, Until: string(x.Until)}
}

func toUnitState(x vault.UnitState) wire.UnitState {
	w := wire.UnitState{
		Day: string(x.Day), There: x.There, Unit: toUnit(x.Unit), Parent: idText(x.Parent.UUID), ParentName: x.ParentName, Seal: x.Seal,
	}
	if x.Level != (vault.Label{}) {
		level := toLabel(x.Level)
		w.LevelLabel = &level
	}
	if x.Head != nil {
		head := toUnitHead(*x.Head)
		w.Head = &head
	}
	return w
}

func toHolding(h vault.NamedHolding) wire.Holding {
	return wire.Holding{From: h.From, Unit: h.Unit.String(), UnitName: h.UnitName, UnitCode: h.UnitCode, Act: idText(h.Act.UUID)}
}
