package catalogue

import "time"

// Event is what brings a record before a chain.
type Event string

// The events.
const (
	Create  Event = "create"  // the dossier or record is made (Article 11)
	Update  Event = "update"  // it has a new version (Article 12)
	Correct Event = "correct" // what was approved is found wrong
)

// Chain is by which steps, by whom and in what time a version becomes official. Steps run in their order; the last one makes
// the version official. A late step never blocks: it is flagged, escalated to the unit above and counted.
type Chain struct {
	Event Event  `yaml:"event"`
	Kinds []Kind `yaml:"kinds"` // of which; empty: of those that no other chain of the event names
	Basis Label  `yaml:"basis"` // the rule
	// Consent of the competent authority, in writing, has to be attached before the first step.
	Consent bool   `yaml:"consent"`
	Start   Start  `yaml:"start"`
	Steps   []Step `yaml:"steps"`
}

// Start is who brings the matter in, and by when.
type Start struct {
	Label Label      `yaml:"label"`
	Unit  Relation   `yaml:"unit"`
	Who   []Capacity `yaml:"who"` // any of them
	Term  Term       `yaml:"term"`
}

// Step is one act of one unit.
type Step struct {
	Step  string     `yaml:"step"` // its code, unique in the chain
	Label Label      `yaml:"label"`
	Act   Act        `yaml:"act"`
	Unit  Relation   `yaml:"unit"`
	Who   []Capacity `yaml:"who"` // any of them
	// WithoutCommittee acts instead where the unit has no committee (Article 11.1: the branch's secretary or deputy).
	WithoutCommittee []Capacity `yaml:"without_committee"`
	// Skip the step where the relation leads to no unit, or to the one that acts next: a branch right below the superior committee.
	Skip bool `yaml:"skip_without_unit"`
	Form Form `yaml:"form"`
	// Adds says that the step may add papers of its own to the dossier.
	Adds bool `yaml:"adds_papers"`
	Term Term `yaml:"term"`
}

// Relation says which unit acts, seen from the dossier or from the step before.
type Relation string

// The relations.
const (
	OwnUnit       Relation = "own"                  // the unit that holds the dossier
	SuperiorUnit  Relation = "superior"             // directly above the unit of the step before
	SuperiorBody  Relation = "superior_body"        // the organisation body of the committee directly above
	CompetentUnit Relation = "competent"            // competent to manage the subject
	MedicalUnit   Relation = "medical"              // the medical facility charged with the subject's care
	HealthBody    Relation = "health_dossier_body"  // the body that manages health dossiers at the subject's level
	VettingBody   Relation = "protection_body"      // the competent body of internal political protection
	ResearchBody  Relation = "research_body"        // the body that manages research
	OwningUnit    Relation = "business_unit"        // of the register
	ApprovingUnit Relation = "approver_of_original" // whose approval made official what is to be corrected
)

// Capacity is in what right a person acts for the unit.
type Capacity string

// The capacities.
const (
	BySubject          Capacity = "subject"           // the person the dossier is about
	ByCommittee        Capacity = "committee"         // a member whom the committee charged
	BySecretary        Capacity = "secretary"         // of the branch
	ByDeputySecretary  Capacity = "deputy_secretary"  // of the branch
	ByHead             Capacity = "head"              // the unit's head
	ByDelegate         Capacity = "delegate"          // whom the head charged
	ByOfficer          Capacity = "officer"           // who makes and checks data in the unit
	ByInvestigator     Capacity = "investigator"      // who leads a research task
	ByProjectSecretary Capacity = "project_secretary" // of a research task
)

// Act is what a step does.
type Act string

// The acts.
const (
	Confirm      Act = "confirm"      // xác nhận: what is declared is complete and true
	Appraise     Act = "appraise"     // thẩm định: and agrees with the papers and the rules
	Authenticate Act = "authenticate" // xác thực: its origin and integrity hold
	Approve      Act = "approve"      // phê duyệt
)

// Form is how a step is made.
type Form string

// The forms.
const (
	BySignature  Form = "signature"  // with the official's token
	ByElectronic Form = "electronic" // recorded approval of a signed-in official
	ByEither     Form = "either"     // "ký số hoặc phê duyệt": the register's owner or the unit chooses
)

// Term is a limit in working days. The day of the moment it is counted from is not counted.
type Term struct {
	Days int `yaml:"days"` // 0: no limit is set
	// From are the moments it may be counted from: the last of those that have happened counts.
	From []Moment `yaml:"from"`
}

// Moment is a time in the life of a matter.
type Moment string

// The moments.
const (
	Occurred       Moment = "occurred"        // the fact to be declared came about
	Received       Moment = "received"        // the unit received it from the step before
	Concluded      Moment = "concluded"       // the official or professional conclusion
	ExaminationEnd Moment = "examination_end" // an examination or treatment ended
	CourseEnd      Moment = "course_end"      // a course ended
	ResultReceived Moment = "result_received" // its diploma or certificate arrived
)

// Start is the moment that the term is counted from, of those that have happened, and whether one has. A term without limit has none.
func (t Term) Start(happened map[Moment]time.Time) (time.Time, bool) {
	var last time.Time
	found := false
	for _, m := range t.From {
		if at, ok := happened[m]; ok && (!found || at.After(last)) {
			last, found = at, true
		}
	}
	return last, found && t.Days > 0
}

// WorkingDays counts a term of n working days from an event: package calendar's Calendar does.
type WorkingDays interface {
	Due(event time.Time, n int) time.Time
}

// Due is when the term ends, by the moments that have happened; false while none of those it is counted from has, or without limit.
func (t Term) Due(days WorkingDays, happened map[Moment]time.Time) (time.Time, bool) {
	from, ok := t.Start(happened)
	if !ok {
		return time.Time{}, false
	}
	return days.Due(from, t.Days), true
}

// Duty is something to be done again and again, such as a review.
type Duty struct {
	Duty   string     `yaml:"duty"`
	Label  Label      `yaml:"label"`
	Months int        `yaml:"every_months"`
	Unit   Relation   `yaml:"unit"`
	Who    []Capacity `yaml:"who"`
	Basis  Label      `yaml:"basis"`
}
