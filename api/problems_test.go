package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"strings"
	"testing"

	"trien/api"
)

// TestEveryErrorOfTheVaultIsInTheTable reads the names out of vault/errors.go and looks for each in the table's source.
func TestEveryErrorOfTheVaultIsInTheTable(t *testing.T) {
	table := map[string]bool{}
	for _, file := range []string{"problems.go", "problems_vault.go", "problems_units.go"} {
		for name := range namesOf(t, file, "vault") {
			table[name] = true
		}
	}
	f, err := parser.ParseFile(token.NewFileSet(), "../vault/errors.go", nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	n := 0
	for _, d := range f.Decls {
		decl, ok := d.(*ast.GenDecl)
		if !ok || decl.Tok != token.VAR {
			continue
		}
		for _, s := range decl.Specs {
			values, ok := s.(*ast.ValueSpec)
			if !ok {
				continue
			}
			for _, name := range values.Names {
				if !name.IsExported() || !strings.HasPrefix(name.Name, "Err") {
					continue
				}
				n++
				if !table[name.Name] {
					t.Errorf("vault.%s is not in the table", name.Name)
				}
			}
		}
	}
	if n < 30 {
		t.Errorf("only %d errors were found", n)
	}
}

// namesOf lists X for each pkg.X that a file names as the first member of a row.
func namesOf(t *testing.T, file, pkg string) map[string]bool {
	t.Helper()
	f, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
	if err != nil {
		t.Fatal(err)
	}
	names := map[string]bool{}
	ast.Inspect(f, func(n ast.Node) bool {
		row, ok := n.(*ast.CompositeLit)
		if !ok || len(row.Elts) < 6 {
			return true
		}
		if sel, ok := row.Elts[0].(*ast.SelectorExpr); ok {
			if x, ok := sel.X.(*ast.Ident); ok && x.Name == pkg {
				names[sel.Sel.Name] = true
			}
		}
		return true
	})
	return names
}

func TestCodesAreStable(t *testing.T) {
	codes := api.Codes()
	for _, code := range []string{
		"body_too_large", "busy", "certificate", "certificate_revoked", "certificate_standing", "client_gone", "clock", "code", "conflict",
		"content_type", "damaged", "delivery_certificate", "delivery_certificate_revoked", "delivery_key", "delivery_standing", "device",
		"device_known", "digest_mismatch", "dossier_exists", "empty", "empty_dossier", "encrypted_pdf", "factor_stands", "forbidden",
		"form_expired", "form_field", "form_file", "form_order", "gone", "in_progress", "internal", "interrupted", "invalid", "job_done",
		"job_expired", "key_missing", "key_reused", "ledger_forked", "ledger_policy", "malformed_request", "media_type", "method_not_allowed",
		"must_enrol", "name_taken", "needs_device", "needs_mfa", "needs_purpose", "no_certificate", "no_delivery_certificate", "no_device",
		"no_factor", "no_such_address", "not_found", "not_logged", "not_pdf", "not_ready", "not_witnessed", "overtaken", "own_work", "password",
		"password_breached", "password_own", "password_weak", "picture", "range", "seal_rate", "secrecy_changed", "session_expired", "signature", "signed_file", "size_mismatch",
		"stale", "tampered", "timeout", "too_large", "too_many_requests", "too_slow", "unauthenticated", "unavailable",
		"unit_changed", "unit_code", "unit_columns", "unit_cycle", "unit_date", "unit_file", "unit_future", "unit_heading", "unit_in_use",
		"unit_later", "unit_level", "unit_name", "unit_not_there", "unit_successor", "unsupported_pdf",
	} {
		if codes[code] == 0 {
			t.Errorf("code %s is gone: clients count on it", code)
		}
		delete(codes, code)
	}
	for code := range codes {
		t.Errorf("code %s is new: write it down here", code)
	}
}
