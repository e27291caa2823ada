package vaulttest_test

import (
	"testing"

	"trien/vault"
	"trien/vault/vaulttest"
)

func TestMemoryObjects(t *testing.T) {
	vaulttest.Objects(t, func(*testing.T) vault.Objects { return vaulttest.NewMemoryObjects() })
}

func TestMemoryKeys(t *testing.T) {
	vaulttest.KeyWrapper(t, func(*testing.T) vault.KeyWrapper { return vaulttest.NewMemoryKeys() })
}
