package api_test

import (
	"errors"

	"trien/api"
)

var errBroken = errors.New("broken on purpose")

func limitVerify(c *api.Config) {
	c.Limits.VerifyPerMinute, c.Limits.VerifySize = 3, 2<<20
}
