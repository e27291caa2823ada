package main

import (
	"errors"
	"syscall"

	"trien/api/client"
	"trien/deploy/standalone"
	"trien/ledger/witness"
)

// explain says what to do about the failures that people meet first.
func explain(err error) string {
	text := err.Error()
	var problem *client.Problem
	switch {
	case errors.Is(err, syscall.EADDRINUSE):
		return text + "\nCổng đã có chương trình khác dùng: chọn cổng khác bằng --listen và --admin-listen." +
			"\nAnother program has this port: choose another with --listen and --admin-listen."
	case errors.Is(err, syscall.ENOSPC), errors.Is(err, standalone.ErrSpace):
		return text + "\nHết chỗ trên đĩa: giải phóng dung lượng hoặc chọn thư mục khác." +
			"\nThe disk is full: free some space or choose another folder."
	case errors.Is(err, standalone.ErrInUse):
		return text + "\nKho đang chạy trên thư mục này: dừng tiến trình kia trước." +
			"\nA vault runs on this folder already: stop it first."
	case errors.Is(err, witness.ErrInUse):
		return text + "\nMột bên chứng kiến khác đang chạy trên thư mục này: dừng tiến trình kia trước." +
			"\nAnother witness runs on this folder: stop it first."
	case errors.As(err, &problem):
		return problem.Error()
	}
	return text
}
