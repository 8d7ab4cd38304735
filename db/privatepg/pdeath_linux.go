package privatepg

import "syscall"

// signalWhenParentDies asks the kernel for a fast shutdown of the child if we are killed.
func signalWhenParentDies(a *syscall.SysProcAttr) { a.Pdeathsig = syscall.SIGINT }
