//go:build !js

package main

import (
	"fmt"
	"os"
)

func main() {
	fmt.Fprintln(os.Stderr, "verify-wasm runs in a browser: make build compiles it with GOOS=js GOARCH=wasm. Use trien-verify here.")
	os.Exit(3)
}
