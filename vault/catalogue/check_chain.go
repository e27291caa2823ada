package catalogue

func (k *checker) chains(r RegisterInfo) {
	general := map[Event]bool{}
	named := map[Event]map[Kind]bool{}
	for i, c := range r.Chains {
		at := k.at("$.chains[%d]", i)
		oneOf(at.at(".event"), c.Event, Create, Update, Correct)
		if len(c.Kinds) == 0 {
			if general[c.Event] {
				at.at(".event").say("a second chain of event %q names no kinds", string(c.Event))
			}
			general[c.Event] = true
		}
		for j, kind := range c.Kinds {
			if _, ok := r.Kind(kind); !ok {
				at.at(".kinds[%d]", j).say("%q is no kind of this register", string(kind))
			}
			if named[c.Event] == nil {
				named[c.Event] = map[Kind]bool{}
			}
			if named[c.Event][kind] {
				at.at(".kinds[%d]", j).say("%q has another chain of event %q", string(kind), string(c.Event))
			}
			named[c.Event][kind] = true
		}
		at.chain(c)
	}
	for _, e := range []Event{Create, Update, Correct} {
		for i, kind := range r.Kinds {
			if !general[e] && !named[e][kind.Kind] {
				k.at("$.kinds[%d]", i).say("%s has no chain of event %s", string(kind.Kind), string(e))
			}
		}
	}
}

func (p place) chain(c Chain) {
	p.at(".basis").label(c.Basis)
	start := p.at(".start")
	start.at(".label").label(c.Start.Label)
	start.hands(c.Start.Unit, c.Start.Who)
	start.term(c.Start.Term)
	if len(c.Steps) == 0 {
		p.at(".steps").say("a chain has at least one step")
		return
	}
	steps := map[string]bool{}
	for i, s := range c.Steps {
		at := p.at(".steps[%d]", i)
		at.at(".step").unique(s.Step, steps)
		at.at(".label").label(s.Label)
		oneOf(at.at(".act"), s.Act, Confirm, Appraise, Authenticate, Approve)
		oneOf(at.at(".form"), s.Form, BySignature, ByElectronic, ByEither)
		at.hands(s.Unit, s.Who)
		for j, w := range s.WithoutCommittee {
			at.at(".without_committee[%d]", j).capacity(w)
		}
		if s.Skip && i == len(c.Steps)-1 {
			at.at(".skip_without_unit").say("the last step makes the version official and is never left out")
		}
		at.term(s.Term)
	}
	if last := c.Steps[len(c.Steps)-1]; last.Act != Approve && last.Act != Authenticate {
		p.at(".steps[%d].act", len(c.Steps)-1).say("the last step approves or authenticates: it makes the version official")
	}
}

func (p place) hands(u Relation, who []Capacity) {
	oneOf(p.at(".unit"), u, OwnUnit, SuperiorUnit, SuperiorBody, CompetentUnit, MedicalUnit, HealthBody, VettingBody, ResearchBody,
		OwningUnit, ApprovingUnit)
	if len(who) == 0 {
		p.at(".who").say("is missing: nobody could act")
	}
	for i, w := range who {
		p.at(".who[%d]", i).capacity(w)
	}
}

func (p place) capacity(c Capacity) {
	oneOf(p, c, BySubject, ByCommittee, BySecretary, ByDeputySecretary, ByHead, ByDelegate, ByOfficer, ByInvestigator, ByProjectSecretary)
}

func (p place) term(t Term) {
	at := p.at(".term")
	if t.Days < 0 || t.Days > maxDays {
		at.at(".days").say("is between 1 and %d working days, or left out where there is no limit", maxDays)
	}
	if (t.Days > 0) != (len(t.From) > 0) {
		at.say("days and from belong together")
	}
	for i, m := range t.From {
		oneOf(at.at(".from[%d]", i), m, Occurred, Received, Concluded, ExaminationEnd, CourseEnd, ResultReceived)
	}
}
