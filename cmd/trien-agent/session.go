package main

import (
	"context"
	"errors"
	"fmt"
	"text/tabwriter"
	"time"

	"trien/api/client"
	"trien/api/wire"
)

// session is a sign-in at a server.
type session struct {
	*client.Client
	me        wire.Me
	enrolled  *enrolment        // nil on a machine that is not, or was told to act for someone by name
	registers map[string]string // code → label in the person's language
}

// connect signs in: by this machine's enrolment, unless the options name somebody.
func (a *agent) connect(ctx context.Context) (*session, error) {
	if a.login != "" || a.server != "" {
		return a.signIn(ctx)
	}
	e, err := loadEnrolment()
	if errors.Is(err, errNotEnrolled) {
		return nil, usage(textNotEnrolled)
	}
	if err != nil {
		return nil, err
	}
	return a.signInByDevice(ctx, e)
}

// signInByDevice needs nobody: the device's key says who it is, and the pin that the server is the one enrolled at.
func (a *agent) signInByDevice(ctx context.Context, e *enrolment) (*session, error) {
	c, err := client.New(client.Config{Server: e.server, CA: []byte(e.ca), Pin: e.pin, Language: string(a.say), Agent: "trien-agent/" + version})
	if err != nil {
		return nil, err
	}
	in, err := c.DeviceSession(ctx, e.device.String(), e.key, a.now())
	if err != nil {
		return nil, err
	}
	if in.Me.Account != e.account.String() {
		return nil, refusal(textOffer)
	}
	return a.begin(ctx, &session{Client: c, me: in.Me, enrolled: e})
}

// signIn asks for the password unless a file has it.
func (a *agent) signIn(ctx context.Context) (*session, error) {
	for _, need := range []struct{ name, value string }{{"server", a.server}, {"login", a.login}} {
		if need.value == "" {
			return nil, usage(textNeed, need.name)
		}
	}
	c, err := client.New(client.Config{Server: a.server, CAFile: a.ca, Language: string(a.say), Agent: "trien-agent/" + version})
	if err != nil {
		return nil, err
	}
	password, err := a.password(ctx, c.Server())
	if err != nil {
		return nil, err
	}
	in, err := c.SignInWithCode(ctx, a.login, password, a.code)
	if err != nil {
		return nil, err
	}
	return a.begin(ctx, &session{Client: c, me: in.Me})
}

// begin reads what a session shows things by.
func (a *agent) begin(ctx context.Context, s *session) (*session, error) {
	s.registers = map[string]string{}
	registers, err := s.Registers(ctx)
	if err != nil {
		s.leave(ctx)
		return nil, err
	}
	for _, r := range registers {
		s.registers[r.Register] = a.say.words(phrase{r.Label.Vi, r.Label.En})
	}
	return s, nil
}

func (a *agent) password(ctx context.Context, server string) (string, error) {
	if a.passwordFile != "" {
		return secretFile(a.passwordFile)
	}
	who, err := a.asker()
	if errors.Is(err, errNobody) {
		return "", usage(textNoTerminal, "password-file")
	}
	if err != nil {
		return "", err
	}
	return who.secret(ctx, a.say.words(askPassword, a.login, server))
}

// leave ends the session, also after Ctrl-C. If it cannot, the session ends by itself in time.
func (s *session) leave(ctx context.Context) {
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), 5*time.Second)
	defer cancel()
	_ = s.SignOut(ctx)
	s.Close()
}

func (s *session) register(code string) string {
	if label := s.registers[code]; label != "" {
		return plain(label)
	}
	return plain(code)
}

// list shows what waits.
func (a *agent) list(ctx context.Context) error {
	s, err := a.connect(ctx)
	if err != nil {
		return err
	}
	defer s.leave(ctx)
	jobs, err := s.Jobs(ctx)
	if err != nil {
		return err
	}
	a.overview(s, jobs)
	return nil
}

func (a *agent) overview(s *session, jobs []wire.Job) {
	if len(jobs) == 0 {
		fmt.Fprintln(a.out, a.say.words(showNothing, plain(s.me.Name)))
		return
	}
	fmt.Fprintln(a.out, a.say.words(showWaiting, len(jobs), plain(s.me.Name), s.Server()))
	t := tabwriter.NewWriter(a.out, 0, 0, 2, ' ', 0)
	for i, j := range jobs {
		fmt.Fprintf(t, "%3d\t%s\t%s\t%s\t%s\t%s\n", i+1, plain(j.ID), plain(j.Title), a.purpose(j), s.register(j.Register), clock(j.Expires))
	}
	_ = t.Flush() // to the person's terminal
}

func (a *agent) purpose(j wire.Job) string {
	if p, ok := purposes[j.Purpose]; ok {
		return a.say.words(p)
	}
	return plain(j.Purpose)
}

// clock writes a time the Vietnamese way.
func clock(t time.Time) string { return t.In(vietnam).Format("02/01/2006 15:04 (-07:00)") }

func day(t time.Time) string { return t.In(vietnam).Format("02/01/2006") }

// vietnam is the zone that signatures and verdicts show times in, wherever the machine stands.
var vietnam = time.FixedZone("+07", 7*60*60)
