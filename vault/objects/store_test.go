package objects

import (
	"testing"

	"trien/deploy/standalone/standalonetest"
	"trien/vault"
	"trien/vault/vaulttest"
)

func TestMain(m *testing.M) { standalonetest.Main(m) }

func testConfig(t *testing.T) Config {
	t.Helper()
	s3 := standalonetest.Objects(t)
	return Config{
		Endpoint: "objects", Socket: s3.Socket, Bucket: s3.Bucket, AccessKey: s3.AccessKey, SecretKey: Secret(s3.SecretKey), PartSize: minPartSize,
	}
}

func testStore(t *testing.T) *Store {
	t.Helper()
	s, err := Open(t.Context(), testConfig(t))
	if err != nil {
		t.Fatal(err)
	}
	return s
}

func TestConformance(t *testing.T) {
	vaulttest.Objects(t, func(t *testing.T) vault.Objects { return testStore(t) })
}
