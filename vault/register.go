package vault

import (
	"slices"
	"time"
)

// Register is one of the six component databases that own dossiers.
type Register string

// The six registers of Article 3.
const (
	Party      Register = "party"
	Cadre      Register = "cadre"
	Protection Register = "protection"
	Health     Register = "health"
	Training   Register = "training"
	Research   Register = "research"
)

// Label is a text in the two languages of the product.
type Label struct{ Vi, En string }

// Kind says what a record is, for example "party.member_slip".
type Kind string

// RegisterInfo names a register and the kinds of record its dossiers hold.
type RegisterInfo struct {
	Register Register
	Label    Label
	Kinds    []KindInfo
	Subject  SubjectRule
}

// Showing is whether, and when, a register shows a person who read their dossier.
type Showing string

// The ways of showing. Whatever else stands in a rule is taken for closed.
const (
	Shown   Showing = "shown"
	Delayed Showing = "delayed" // what happened within [SubjectRule.Delay] is left out
	Closed  Showing = "closed"
)

// SubjectRule says what a register shows a person of the access record of their own dossier (R-13.2a). The rule itself is shown
// to everybody, so that a closing can be seen.
type SubjectRule struct {
	Showing    Showing
	Delay      time.Duration // where Delayed; whole days
	HideReader bool          // shows unit, role and post of who read, and not the name
	Basis      Label         // the rule that delays or closes
}

// Shows is how the register shows its record; what it does not say clearly is closed.
func (r SubjectRule) Shows() Showing {
	if r.Showing == Shown || r.Showing == Delayed {
		return r.Showing
	}
	return Closed
}

// Days is the delay in days; 0 where there is none.
func (r SubjectRule) Days() int {
	if r.Showing != Delayed {
		return 0
	}
	return int(r.Delay / (24 * time.Hour))
}

// until is the last moment of which events are shown, and whether any are. Zero: all are.
func (r SubjectRule) until(now time.Time) (time.Time, bool) {
	switch r.Showing {
	case Shown:
		return time.Time{}, true
	case Delayed:
		return now.Add(-r.Delay), true
	}
	return time.Time{}, false
}

// KindInfo names a kind of record.
type KindInfo struct {
	Kind  Kind
	Label Label
}

var (
	shown = SubjectRule{Showing: Shown}
	// vetting dossiers are shared on a written decision alone.
	vetting = SubjectRule{Showing: Closed, HideReader: true, Basis: Label{
		"khoản 4 Điều 11 và khoản 5 Điều 15: hồ sơ tiêu chuẩn chính trị chỉ cung cấp theo quyết định bằng văn bản",
		"Articles 11(4) and 15(5): vetting dossiers are shared on a written decision alone",
	}}
)

var registers = []RegisterInfo{
	{Party, Label{"Tổ chức đảng, đảng viên", "Party organisations and members"}, []KindInfo{
		{"party.member_slip", Label{"Phiếu đảng viên", "Member slip"}},
		{"party.curriculum_vitae", Label{"Lý lịch đảng viên", "Member curriculum vitae"}},
		{"party.supplement_slip", Label{"Phiếu bổ sung hồ sơ đảng viên", "Supplement slip"}},
		{"party.admission", Label{"Hồ sơ kết nạp", "Admission papers"}},
		{"party.transfer", Label{"Giấy giới thiệu chuyển sinh hoạt", "Transfer papers"}},
	}, shown},
	{Cadre, Label{"Cán bộ", "Cadres"}, []KindInfo{
		{"cadre.curriculum_vitae", Label{"Sơ yếu lý lịch", "Curriculum vitae"}},
		{"cadre.supplement_slip", Label{"Phiếu kê khai bổ sung", "Yearly supplement"}},
		{"cadre.evaluation", Label{"Đánh giá, xếp loại", "Evaluation"}},
		{"cadre.decision", Label{"Quyết định về nhân sự", "Personnel decision"}},
	}, shown},
	{Protection, Label{"Bảo vệ chính trị nội bộ", "Internal political protection"}, []KindInfo{
		{"protection.vetting_conclusion", Label{"Kết luận tiêu chuẩn chính trị", "Vetting conclusion"}},
	}, vetting},
	{Health, Label{"Sức khỏe cán bộ", "Cadres' health"}, []KindInfo{
		{"health.summary", Label{"Tóm tắt sức khỏe", "Health summary"}},
		{"health.class", Label{"Kết luận phân loại sức khỏe", "Health class"}},
	}, shown},
	{Training, Label{"Đào tạo, bồi dưỡng", "Training"}, []KindInfo{
		{"training.decision", Label{"Quyết định cử đi học", "Training decision"}},
		{"training.certificate", Label{"Chứng chỉ, chứng nhận", "Certificate"}},
		{"training.diploma", Label{"Văn bằng", "Diploma"}},
	}, shown},
	{Research, Label{"Nghiên cứu khoa học", "Research"}, []KindInfo{
		{"research.proposal", Label{"Thuyết minh đề tài", "Research proposal"}},
		{"research.product", Label{"Sản phẩm nghiên cứu", "Research product"}},
		{"research.acceptance", Label{"Hồ sơ nghiệm thu", "Acceptance file"}},
	}, shown},
}

// Registers lists the six registers in the order of the regulation.
func Registers() []RegisterInfo { return slices.Clone(registers) }

// Info returns what is known of a register, and whether it is one of the six.
func (r Register) Info() (RegisterInfo, bool) {
	for _, i := range registers {
		if i.Register == r {
			return i, true
		}
	}
	return RegisterInfo{}, false
}

// Label names the register.
func (r Register) Label() Label {
	i, _ := r.Info()
	return i.Label
}

// Kind returns what is known of a kind of this register's records.
func (r Register) Kind(k Kind) (KindInfo, bool) {
	info, _ := r.Info()
	for _, i := range info.Kinds {
		if i.Kind == k {
			return i, true
		}
	}
	return KindInfo{}, false
}
