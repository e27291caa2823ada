package main

import (
	"bytes"
	"image"
	"image/color"
	"image/png"
	"math"

	"trien/signing"
)

// ways are documents that are nothing special, signed in special ways.
func ways() []input {
	way := func(name, what string, change func(r *signing.Request, seal bool)) input {
		return input{name: "way-" + name, producer: "by hand", what: "signed: " + what, make: handmadePlain, plain: true, way: change}
	}
	person := func(a signing.Algorithm) func(*signing.Request, bool) {
		return func(r *signing.Request, seal bool) {
			if !seal {
				r.Algorithm = a
			}
		}
	}
	list := []input{
		way("rsa-sha384", "RSA, SHA-384", person(signing.RSASHA384)),
		way("rsa-sha512", "RSA, SHA-512", person(signing.RSASHA512)),
		way("pss-sha256", "RSA-PSS, SHA-256", person(signing.PSSSHA256)),
		way("pss-sha512", "RSA-PSS, SHA-512", person(signing.PSSSHA512)),
		way("p384", "organisation's key on P-384, SHA-384", nil),
		way("statement", "commitment and claimed role", func(r *signing.Request, _ bool) {
			r.Reason = "" // the commitment stands for it
			r.Statement = signing.Statement{Commitment: signing.ProofOfApproval, Roles: []string{"Trưởng phòng"}}
		}),
		way("certified", "certified by the first", func(r *signing.Request, seal bool) {
			if !seal {
				r.Certify = signing.PermitSigning
			}
		}),
		way("lock", "a form field locked", func(r *signing.Request, seal bool) {
			if !seal {
				r.Lock = &signing.Lock{Action: signing.LockInclude, Fields: []string{"ho_ten"}}
			}
		}),
		way("new-page", "drawn on a page of its own", func(r *signing.Request, seal bool) {
			if !seal {
				r.Visible = &signing.Appearance{Page: signing.NewPage, Rect: [4]float64{100, 400, 400, 500}, Name: r.Name, Post: "Trưởng phòng", ShowTime: true}
			}
		}),
		way("seal-over", "seal drawn over a third of the signature", func(r *signing.Request, seal bool) {
			r.Visible = &signing.Appearance{Page: 1, Rect: [4]float64{300, 300, 500, 400}, Picture: &signing.Picture{PNG: drawing(!seal), Width: 100}}
			if seal {
				r.Visible.Rect, r.Visible.Page, r.Visible.Over = [4]float64{}, 0, "Signature1"
			}
		}),
	}
	for i := range list {
		switch list[i].name {
		case "way-pss-sha256", "way-pss-sha512":
			list[i].pss = true
		case "way-p384":
			list[i].p384 = true
		case "way-lock":
			list[i].make, list[i].producer = byPython("reportlab_form"), "ReportLab"
		}
	}
	return list
}

// drawing is a picture with transparency: a blue stroke, or a red ring.
func drawing(stroke bool) []byte {
	m := image.NewNRGBA(image.Rect(0, 0, 300, 300))
	if stroke {
		m = image.NewNRGBA(image.Rect(0, 0, 300, 100))
	}
	size := m.Bounds().Size()
	for y := range size.Y {
		for x := range size.X {
			fx, fy := float64(x)/float64(size.X)-.5, float64(y)/float64(size.Y)-.5
			if r := math.Hypot(fx, fy); !stroke && r > .4 && r < .48 {
				m.SetNRGBA(x, y, color.NRGBA{190, 30, 30, 200})
			} else if stroke && math.Abs(fy-.3*math.Sin(12*fx)) < .05 {
				m.SetNRGBA(x, y, color.NRGBA{20, 20, 120, 230})
			}
		}
	}
	var b bytes.Buffer
	if err := png.Encode(&b, m); err != nil {
		panic(err) // memory takes everything
	}
	return b.Bytes()
}
