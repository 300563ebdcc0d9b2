// SPDX-License-Identifier: MIT OR Apache-2.0

// The flow table, with cgo: flows list | watch [COUNT] | delete EXPRESSION
package main

/*
#cgo pkg-config: ctrs
#include <stdlib.h>
#include <ctrs.h>

int onEvent(enum nf_conntrack_msg_type, struct nf_conntrack *, void *);

// A number in place of a pointer: a cgo.Handle stays where it is, as no variable of Go does.
static int listen_with(struct nfct_handle *h, uintptr_t watcher)
{
	return nfct_callback_register(h, NFCT_T_ALL, onEvent, (void *)watcher);
}
*/
import "C"

import (
	"errors"
	"fmt"
	"os"
	"os/signal"
	"runtime/cgo"
	"strconv"
	"syscall"
	"unsafe"
)

func text(e *C.struct_ctrs_error) error {
	return errors.New(C.GoString(&e.text[0]))
}

func open(groups C.uint32_t) (*C.struct_nfct_handle, error) {
	options := C.struct_ctrs_open_options{size: C.sizeof_struct_ctrs_open_options, groups: groups}
	failure := C.struct_ctrs_error{size: C.sizeof_struct_ctrs_error}
	h := C.ctrs_open(&options, &failure)
	if h == nil {
		return nil, text(&failure)
	}
	return h, nil
}

func list() error {
	h, err := open(0)
	if err != nil {
		return err
	}
	defer C.nfct_close(h)
	dump := C.ctrs_dump_begin(h, nil, 0)
	if dump == nil {
		return text(C.ctrs_last_error(h))
	}
	defer C.ctrs_dump_end(dump)
	flows := make([]C.struct_ctrs_flow, 1000) // no pointers in it, so C may fill it
	total, ports := 0, map[C.uint16_t]int{}
	for {
		n := C.ctrs_dump_read(dump, &flows[0], C.size_t(len(flows)), C.sizeof_struct_ctrs_flow)
		if n == -1 {
			return text(C.ctrs_dump_last_error(dump))
		}
		if n == 0 {
			break
		}
		for _, flow := range flows[:n] {
			ports[flow.orig.dport]++
		}
		total += int(n)
	}
	fmt.Println(total, "flows")
	for port, count := range ports {
		fmt.Println("port", port, count)
	}
	return nil
}

type watcher struct {
	left   int
	failed error
}

//export onEvent
func onEvent(kind C.enum_nf_conntrack_msg_type, ct *C.struct_nf_conntrack, data unsafe.Pointer) (verdict C.int) {
	w := cgo.Handle(data).Value().(*watcher)
	defer func() { // a panic ends here: there is C beneath
		if p := recover(); p != nil {
			w.failed, verdict = fmt.Errorf("%v", p), C.NFCT_CB_FAILURE
		}
	}()
	line := make([]C.char, 16384)
	C.ctrs_snprintf_json(&line[0], C.size_t(len(line)), ct, C.uint32_t(kind), 0, nil)
	fmt.Println(C.GoString(&line[0]))
	w.left--
	if w.left == 0 {
		return C.NFCT_CB_STOP
	}
	return C.NFCT_CB_CONTINUE
}

func watch(count int) error {
	h, err := open(C.CTRS_GROUP_ALL)
	if err != nil {
		return err
	}
	defer C.nfct_close(h)
	w := &watcher{left: count}
	handle := cgo.NewHandle(w)
	defer handle.Delete()
	C.listen_with(h, C.uintptr_t(handle))
	interrupted := make(chan os.Signal, 1)
	signal.Notify(interrupted, os.Interrupt)
	ended := make(chan bool)
	go func() {
		if _, yes := <-interrupted; yes {
			C.ctrs_wake(h) // from any thread
		}
		close(ended)
	}()
	defer func() { // before the handle is closed
		signal.Stop(interrupted)
		close(interrupted)
		<-ended
	}()
	for {
		// The second result is errno, which says nothing after success.
		result, err := C.nfct_catch(h)
		switch {
		case result != -1, err == syscall.ECANCELED:
			return nil
		case w.failed != nil:
			return w.failed
		case err != syscall.EINTR: // signals of Go's own end a wait, too
			return err
		}
	}
}

func remove(expression string) error {
	source := C.CString(expression)
	defer C.free(unsafe.Pointer(source))
	failure := C.struct_ctrs_error{size: C.sizeof_struct_ctrs_error}
	which := C.ctrs_filter_compile(source, nil, &failure)
	if which == nil {
		return text(&failure)
	}
	defer C.ctrs_filter_free(which)
	h, err := open(0)
	if err != nil {
		return err
	}
	defer C.nfct_close(h)
	var done C.struct_ctrs_deleted
	if C.ctrs_delete_matching(h, which, 0, &done, C.sizeof_struct_ctrs_deleted) == -1 {
		return text(C.ctrs_last_error(h))
	}
	fmt.Println(done.matched, "matched,", done.deleted, "deleted")
	return nil
}

func main() {
	arguments := append(os.Args[1:], "", "")
	err := errors.New("usage: flows list | watch [COUNT] | delete EXPRESSION")
	switch arguments[0] {
	case "list":
		err = list()
	case "watch":
		count, _ := strconv.Atoi(arguments[1])
		err = watch(count)
	case "delete":
		err = remove(arguments[1])
	}
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}
