package trillianlog

import (
	"testing"

	"trien/vault"
	"trien/vault/vaulttest"
)

func TestConformance(t *testing.T) {
	vaulttest.Log(t, func(t *testing.T) vault.Log { return startLog(t, testConfig(newDatabase(t))) })
}

func TestConformanceOfOutsideTrillian(t *testing.T) {
	o := newOutside(t)
	vaulttest.Log(t, func(t *testing.T) vault.Log { return startLog(t, o.config(newDatabase(t))) })
}
