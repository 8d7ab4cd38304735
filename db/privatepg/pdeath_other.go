//go:build unix && !linux

package privatepg

import "syscall"

// signalWhenParentDies does nothing here: the lock still keeps a second server off.
func signalWhenParentDies(*syscall.SysProcAttr) {}
