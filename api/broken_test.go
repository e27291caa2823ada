package api_test

import "errors"

var errBroken = errors.New("broken on purpose")
