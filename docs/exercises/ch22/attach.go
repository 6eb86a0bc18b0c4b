// SPDX-License-Identifier: MIT OR GPL-2.0-only

// Takes a pinned socket filter, puts it on a UDP socket before bind(2), and sends itself three datagrams.
package main

import (
	"context"
	"fmt"
	"net"
	"os"
	"runtime"
	"syscall"
	"unsafe"
)

const (
	objGet    = 7  // BPF_OBJ_GET
	attachBPF = 50 // SO_ATTACH_BPF
)

// The package syscall is older than bpf(2): its number must be given.
var sysBPF = map[string]uintptr{"amd64": 321, "arm64": 280}[runtime.GOARCH]

// The part of union bpf_attr that BPF_OBJ_GET reads.
type objGetAttr struct {
	pathname  unsafe.Pointer
	bpfFd     uint32
	fileFlags uint32
}

func openPin(path string) (int, error) {
	name, err := syscall.BytePtrFromString(path)
	if err != nil {
		return -1, err
	}
	attr := objGetAttr{pathname: unsafe.Pointer(name)}
	fd, _, errno := syscall.Syscall(sysBPF, objGet, uintptr(unsafe.Pointer(&attr)), unsafe.Sizeof(attr))
	if errno != 0 {
		return -1, os.NewSyscallError("bpf(BPF_OBJ_GET)", errno)
	}
	return int(fd), nil
}

func run(path string) error {
	program, err := openPin(path)
	if err != nil {
		return err
	}
	// Control is called with the socket between socket(2) and bind(2).
	config := net.ListenConfig{Control: func(_, _ string, socket syscall.RawConn) error {
		var attached error
		err := socket.Control(func(fd uintptr) {
			attached = os.NewSyscallError("setsockopt(SO_ATTACH_BPF)",
				syscall.SetsockoptInt(int(fd), syscall.SOL_SOCKET, attachBPF, program))
		})
		if err != nil {
			return err
		}
		return attached
	}}
	receiver, err := config.ListenPacket(context.Background(), "udp4", "127.0.0.1:0")
	if err != nil {
		return err
	}
	syscall.Close(program) // the socket holds it

	sender, err := net.Dial("udp4", receiver.LocalAddr().String())
	if err != nil {
		return err
	}
	for _, text := range []string{"short", "a datagram with more than twenty bytes", "end"} {
		if _, err := sender.Write([]byte(text)); err != nil {
			return err
		}
	}
	buffer := make([]byte, 64)
	for text := ""; text != "end"; {
		got, _, err := receiver.ReadFrom(buffer)
		if err != nil {
			return err
		}
		text = string(buffer[:got])
		fmt.Println("received:", text)
	}
	return nil
}

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "usage: attach PIN")
		os.Exit(2)
	}
	if err := run(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
