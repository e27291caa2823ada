//go:build js

// Command verify-wasm is trien-verify for the page /verify: it judges a file inside the browser, which the file does not leave.
//
// It runs once in a worker, which leaves in the global "trien" what is to be judged (size, anchors, policy, at), the functions read, which gives the
// bytes of a part of the file, and answer, which takes the answer as JSON. Its memory does not grow with the file.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"syscall/js"
)

func main() {
	page := js.Global().Get("trien")
	size := int64(page.Get("size").Float())
	a := answerTo(context.Background(), request{
		file: &blocks{size: size, fetch: func(b []byte, off int64) error { return fetch(page, b, off) }}, size: size,
		anchors: bytesOf(page.Get("anchors")), policy: bytesOf(page.Get("policy")), at: page.Get("at").String(),
	})
	text, err := json.Marshal(a)
	if err != nil {
		panic(err) // the worker tells
	}
	page.Call("answer", string(text))
}

// fetch fills b from the browser's file. An exception there, as when the file was changed since it was chosen, is an error here.
func fetch(page js.Value, b []byte, off int64) (err error) {
	defer func() {
		if cause := recover(); cause != nil {
			thrown, ok := cause.(js.Error)
			if !ok {
				panic(cause)
			}
			err = errors.New(thrown.Error())
		}
	}()
	part := page.Call("read", off, off+int64(len(b)))
	if n := js.CopyBytesToGo(b, part); n != len(b) {
		return fmt.Errorf("the browser gave %d bytes", n)
	}
	return nil
}

// bytesOf copies an Uint8Array; null is nil.
func bytesOf(v js.Value) []byte {
	if v.IsNull() {
		return nil
	}
	b := make([]byte, v.Length())
	js.CopyBytesToGo(b, v)
	return b
}
