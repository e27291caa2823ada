//go:build soak

package main

import "testing"

// TestSoakBatch kills server and agent again and again while a batch of 500 is signed.
func TestSoakBatch(t *testing.T) { signBatch(t, 500, 60, 200) }
