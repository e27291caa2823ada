package policy

import (
	"math/bits"
	"slices"
	"time"
)

// Need is one fact that a refused request lacks.
type Need struct {
	Code   string
	Vi, En string
}

// Explanation is a decision with all that would have changed it. It is for data administrators and auditors: it tells of what there is.
type Explanation struct {
	Decision
	// Ways are the smallest sets of facts that together would have made it allowed, the shortest first. Empty: nothing would, for this role.
	Ways [][]Need
}

// The needs that a person can meet by signing in otherwise, or by saying more.
const (
	NeedMFA     = "mfa"
	NeedDevice  = "device"
	NeedPurpose = "purpose"
)

// needs are the facts that can change, and how a request looks that has them.
var needs = []struct {
	Need
	met func(r Request) Request
}{
	{Need{NeedPurpose, "nêu mục đích", "a purpose that is stated"}, func(r Request) Request { r.Purpose = true; return r }},
	{Need{NeedMFA, "đăng nhập bằng xác thực đa yếu tố", "a sign-in with a second factor"}, func(r Request) Request {
		r.Principal.MFA = true
		return r
	}},
	{Need{NeedDevice, "đăng nhập từ thiết bị đã được duyệt và đăng ký", "a sign-in from an enrolled device"}, func(r Request) Request {
		r.Principal.Device = true
		return r
	}},
	{Need{"term", "thời hạn còn hiệu lực", "a term that has not ended"}, withTerm},
	{Need{"clearance", "mức được phép tiếp cận không thấp hơn độ mật", "a clearance that reaches the secrecy"}, withClearance},
	{Need{"unit", "thuộc đơn vị giữ hồ sơ", "to be of the unit that holds it"}, withOwnUnit},
	{Need{"grant", "quyền khai thác theo phiếu đã duyệt", "a grant by an approved access slip"}, func(r Request) Request { return withGrant(r, false) }},
	{Need{"task", "nhiệm vụ thẩm định người này", "a task to appraise this person"}, func(r Request) Request { return withGrant(r, true) }},
	{Need{"decision", "quyết định của chủ quản dữ liệu cho phạm vi, độ mật và thời hạn này", "a decision of the data owner for this scope, level and term"}, withDecision},
	{Need{"another", "người khác thực hiện hoặc ký", "another person to do it, or to sign"}, withAnother},
}

func withClearance(r Request) Request {
	if r.Dossier != nil && r.Dossier.Secrecy != Unknown {
		r.Principal.Clearance = max(r.Principal.Clearance, r.Dossier.Secrecy)
		r.Principal.ClearedUntil = r.Now.Add(time.Hour)
	}
	return r
}

func withGrant(r Request, task bool) Request {
	if r.Dossier == nil {
		return r
	}
	r.Grants = append(slices.Clone(r.Grants), Grant{
		Unit: r.unit(), Register: r.Dossier.Register, Dossier: r.Dossier.ID, Secrecy: r.Dossier.Secrecy, Forms: []string{View, Download},
		Task: task, From: r.Now, Until: r.Now.Add(time.Hour),
	})
	return r
}

func withDecision(r Request) Request {
	if r.Change == nil {
		return r
	}
	c := *r.Change
	c.Decision = &Scope{Unit: r.unit(), Register: c.Register, Level: c.Level, Until: c.Until}
	r.Change = &c
	return r
}

// withAnother is the question as if somebody else were acted upon, or asked to sign.
func withAnother(r Request) Request {
	if r.Account != "" {
		r.Account = "another"
	}
	if r.Signer != "" {
		r.Signer = "another"
	}
	return r
}

// ReasonMFAByRole is the reason of the rule about roles on which a second factor is forced.
const ReasonMFAByRole = "mfa_role"

// Explain answers a question, and says what would have changed the answer. It takes milliseconds, a thousand times what [Engine.Decide] does.
func (e *Engine) Explain(r Request) Explanation {
	x := Explanation{Decision: e.Decide(r)}
	if x.Allowed {
		return x
	}
	var sets []uint
	for set := uint(1); set < 1<<len(needs); set++ {
		sets = append(sets, set)
	}
	slices.SortStableFunc(sets, func(a, b uint) int { return bits.OnesCount(a) - bits.OnesCount(b) })
	var found []uint
	for _, set := range sets {
		if slices.ContainsFunc(found, func(f uint) bool { return set&f == f }) {
			continue
		}
		changed, names := r, []Need(nil)
		for i, n := range needs {
			if set&(1<<i) != 0 {
				changed, names = n.met(changed), append(names, n.Need)
			}
		}
		if e.decide(&changed).Allowed {
			found, x.Ways = append(found, set), append(x.Ways, names)
		}
	}
	return x
}

// Mendable says which needs the person can meet by themselves, of a request that was refused. It is empty unless these alone were
// wanting: what else there is, and how secret it is, nobody learns from it who may not know.
func (e *Engine) Mendable(r Request) []string {
	var codes []string
	for _, by := range e.decide(&r).By {
		if slices.Contains([]string{NeedMFA, NeedDevice, NeedPurpose}, by.Reason) {
			codes = append(codes, by.Reason)
		}
	}
	r.Principal.MFA, r.Principal.Device, r.Purpose = true, true, true
	if !e.decide(&r).Allowed {
		return nil
	}
	return codes
}
