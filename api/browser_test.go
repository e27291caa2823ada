package api_test

import (
	"context"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/browser"
	"github.com/chromedp/cdproto/cdp"
	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/network"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

const (
	desktop = 1280
	phone   = 360
)

// person drives a real Chromium.
type person struct {
	t     *testing.T
	r     *rig
	ctx   context.Context
	shots string // folder of screenshots; empty: none are taken
	files string // folder of downloads

	mu       sync.Mutex
	complain []string
	names    []string // of downloads that began
	asked    []string // requests of the page
}

// newPerson starts a browser for several servers: all of them have the same test certificate.
func newPerson(t *testing.T) *person {
	t.Helper()
	any := httptest.NewTLSServer(nil)
	defer any.Close()
	spki := sha256.Sum256(any.Certificate().RawSubjectPublicKeyInfo)
	alloc, stop := chromedp.NewExecAllocator(context.Background(),
		chromedp.ExecPath("/usr/bin/chromium"), chromedp.UserDataDir(t.TempDir()), chromedp.Headless, chromedp.NoSandbox,
		chromedp.DisableGPU, chromedp.NoFirstRun, chromedp.NoDefaultBrowserCheck,
		chromedp.Flag("disable-quic", true), chromedp.Flag("disable-background-networking", true),
		chromedp.Flag("disable-component-update", true), chromedp.Flag("disable-sync", true),
		chromedp.Flag("disable-dev-shm-usage", true), chromedp.Flag("hide-scrollbars", true),
		chromedp.Flag("ignore-certificate-errors-spki-list", base64.StdEncoding.EncodeToString(spki[:])),
	)
	ctx, leave := chromedp.NewContext(alloc)
	p := &person{t: t, shots: os.Getenv("TRIEN_SHOTS"), files: t.TempDir()}
	err := chromedp.Listen(ctx, p.hear) // this starts the browser
	if err == nil {
		err = chromedp.ListenBrowser(ctx, p.hear)
	}
	if err != nil {
		t.Fatalf("starting the browser: %v", err)
	}
	limited, cancel := context.WithTimeout(ctx, 5*time.Minute)
	p.ctx = limited
	t.Cleanup(func() { cancel(); leave(); stop() })
	call(p, log.Enable, cdp.Empty{})
	call(p, runtime.Enable, cdp.Empty{})
	events := true
	call(p, browser.SetDownloadBehavior, browser.SetDownloadBehaviorParams{
		Behavior: browser.SetDownloadBehaviorBehaviorAllow, DownloadPath: p.files, EventsEnabled: &events,
	})
	return p
}

// visit sends the person to a server for one test, which fails if the browser has something to complain about.
func (p *person) visit(t *testing.T, r *rig) {
	p.t, p.r = t, r
	t.Cleanup(func() {
		p.mu.Lock()
		defer p.mu.Unlock()
		for _, c := range p.complain {
			t.Errorf("the browser complains: %s", c)
		}
		p.complain, p.names = nil, nil
	})
	call(p, network.Enable, network.EnableParams{})
	call(p, network.ClearBrowserCookies, cdp.Empty{})
}

func call[P, R any](p *person, command cdp.Command[P, R], params P) {
	p.t.Helper()
	if _, err := chromedp.Call(p.ctx, command, params); err != nil {
		p.t.Fatalf("%s: %v", command.Method, err)
	}
}

// hear collects what the console says: a breach of the content policy, an exception, a failed load. Answers that refuse
// something are loads that fail, and expected.
func (p *person) hear(event any) {
	p.mu.Lock()
	defer p.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		p.complain = append(p.complain, e.ExceptionDetails.Text)
	case *log.EventEntryAdded:
		if e.Entry.Level == "error" && !strings.Contains(e.Entry.Text, "the server responded with a status of") {
			p.complain = append(p.complain, e.Entry.Text+" "+e.Entry.URL)
		}
	case *network.EventRequestWillBeSent:
		p.asked = append(p.asked, e.Request.Method+" "+e.Request.URL)
	case *browser.EventDownloadWillBegin:
		p.names = append(p.names, e.SuggestedFilename)
	}
}

func (p *person) do(actions ...chromedp.Action[chromedp.Void]) {
	p.t.Helper()
	ctx, cancel := context.WithTimeout(p.ctx, 20*time.Second)
	defer cancel()
	if err := chromedp.Do(ctx, actions...); err != nil {
		where, _ := chromedp.Run(p.ctx, chromedp.Location())
		text, _ := chromedp.Run(p.ctx, chromedp.Evaluate[string]("document.body.innerText"))
		p.shoot("failed")
		p.t.Fatalf("%v at %s:\n%s", err, where, text)
	}
}

func ask[T any](p *person, script string) T {
	p.t.Helper()
	v, err := chromedp.Run(p.ctx, chromedp.Evaluate[T](script))
	if err != nil {
		p.t.Fatalf("%s: %v", script, err)
	}
	return v
}

func (p *person) open(path string) {
	p.t.Helper()
	p.do(chromedp.Navigate(p.r.http.URL+path), chromedp.WaitReady(chromedp.CSS("footer")))
}

func (p *person) see(selector string) {
	p.t.Helper()
	p.do(chromedp.WaitVisible(chromedp.CSS(selector)))
}
func (p *person) click(selector string) { p.t.Helper(); p.do(chromedp.Click(chromedp.CSS(selector))) }
func (p *person) keys(selector, s string) {
	p.t.Helper()
	p.do(chromedp.SendKeys(chromedp.CSS(selector), s))
}
func (p *person) set(selector, s string) {
	p.t.Helper()
	p.do(chromedp.SetValue(chromedp.CSS(selector), s))
}
func (p *person) submit(selector string) { p.t.Helper(); p.do(chromedp.Submit(chromedp.CSS(selector))) }
func (p *person) choose(sel, path string) {
	p.t.Helper()
	p.do(chromedp.SetUploadFiles(chromedp.CSS(sel), []string{path}))
}
func (p *person) value(selector string) string {
	p.t.Helper()
	return ask[string](p, fmt.Sprintf("document.querySelector(%q).value", selector))
}

// quiet fails the test if the page asks for anything over the network while act runs.
func (p *person) quiet(act func()) {
	p.t.Helper()
	p.mu.Lock()
	p.asked = nil
	p.mu.Unlock()
	act()
	p.mu.Lock()
	defer p.mu.Unlock()
	for _, a := range p.asked {
		if !strings.Contains(a, "/static/verify-worker.js?v=") { // out of what the browser keeps: the server counts none
			p.t.Errorf("the page asks: %s", a)
		}
	}
}

// width makes the window as wide as a screen.
func (p *person) width(w int64) {
	p.t.Helper()
	call(p, emulation.SetDeviceMetricsOverride, emulation.SetDeviceMetricsOverrideParams{Width: w, Height: 800, DeviceScaleFactor: 1, Mobile: w <= phone})
}

// shoot keeps the whole page as a picture, for people to look at: set TRIEN_SHOTS to a folder.
func (p *person) shoot(name string) {
	p.t.Helper()
	if p.shots == "" {
		return
	}
	png, err := chromedp.Run(p.ctx, chromedp.FullScreenshot(100))
	if err == nil {
		err = os.WriteFile(filepath.Join(p.shots, name+".png"), png, 0o600)
	}
	if err != nil {
		p.t.Errorf("screenshot %s: %v", name, err)
	}
}

// look takes pictures at both widths and checks that nothing sticks out at the side.
func (p *person) look(name string) {
	p.t.Helper()
	for _, w := range []int64{phone, desktop} {
		p.width(w)
		if wide := ask[int64](p, "document.documentElement.scrollWidth"); wide > w {
			p.t.Errorf("%s is %d wide in a window of %d", name, wide, w)
		}
		p.shoot(fmt.Sprintf("%s-%d", name, w))
	}
}

func (p *person) wants(selector, text string) {
	p.t.Helper()
	got := ask[string](p, fmt.Sprintf("[...document.querySelectorAll(%q)].map((e) => e.innerText).join('\\n')", selector))
	if !strings.Contains(got, text) {
		p.t.Errorf("%s does not say %q but:\n%s", selector, text, got)
	}
}

func (p *person) signIn(login string) {
	p.t.Helper()
	p.open("/")
	p.set("input[name=login]", login)
	p.keys("input[name=password]", password)
	p.submit("form[action='/sign-in']")
	p.see("form[action='/sign-out']")
}

func (p *person) signOut() {
	p.t.Helper()
	p.click("form[action='/sign-out'] button")
	p.see("form[action='/sign-in']")
}

// file writes a document to be chosen.
func (p *person) file(name string, content []byte) string {
	p.t.Helper()
	path := filepath.Join(p.t.TempDir(), name)
	if err := os.WriteFile(path, content, 0o600); err != nil {
		p.t.Fatal(err)
	}
	return path
}

// slow limits the upload, so that there is progress to see; -1: not.
func (p *person) slow(bytesPerSecond float64) {
	p.t.Helper()
	call(p, network.EmulateNetworkConditionsByRule, network.EmulateNetworkConditionsByRuleParams{
		MatchedNetworkConditions: []*network.Conditions{{DownloadThroughput: -1, UploadThroughput: bytesPerSecond}},
	})
}

// download waits for the n-th download and reads it.
func (p *person) download(n int) (string, []byte) {
	p.t.Helper()
	for range 400 {
		p.mu.Lock()
		name := ""
		if len(p.names) >= n {
			name = p.names[n-1]
		}
		p.mu.Unlock()
		// The browser writes under another name until the file is whole.
		if b, err := os.ReadFile(filepath.Join(p.files, name)); name != "" && err == nil {
			return name, b
		}
		time.Sleep(25 * time.Millisecond)
	}
	p.t.Fatal("no download arrived")
	return "", nil
}
