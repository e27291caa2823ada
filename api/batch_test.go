package api_test

import (
	"testing"
)

func TestSubmissions(t *testing.T) {
	r := newRig(t)
	ctx := t.Context()
	staff, official := r.signIn("vanthu"), r.signIn("lanhdao")
	me, err := official.Me(ctx)
	if err != nil {
		t.Fatal(err)
	}
	v := r.deposit(staff, r.dossier(staff).ID, samplePDF())
	const missing = "019a0000-0000-7000-8000-000000000000"
	done, err := staff.SubmitAll(ctx, []string{missing, v.ID}, me.Account, "Phê duyệt")
	if err != nil || len(done) != 2 {
		t.Fatalf("%+v, %v", done, err)
	}
	if p := done[0].Problem; p == nil || p.Code != "not_found" || p.RequestID == "" || done[0].Job != nil || done[0].Version != missing {
		t.Errorf("the missing one: %+v", done[0])
	}
	if j := done[1].Job; j == nil || j.Version != v.ID || done[1].Problem != nil {
		t.Errorf("the good one: %+v", done[1])
	}
	_, err = staff.SubmitAll(ctx, make([]string, 501), me.Account, "")
	wantCode(t, err, "invalid")
	_, err = staff.SubmitAll(ctx, nil, me.Account, "")
	wantCode(t, err, "invalid")
	_, err = staff.SubmitAll(ctx, []string{"x"}, me.Account, "")
	wantCode(t, err, "malformed_request")
	_, err = r.signIn("quantri").SubmitAll(ctx, []string{v.ID}, me.Account, "")
	wantCode(t, err, "forbidden")
}
