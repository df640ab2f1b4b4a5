package proc

import (
	"os/exec"
	"syscall"
)

// leaveNoOrphan makes a server end when the test binary is killed and can't end it.
func leaveNoOrphan(cmd *exec.Cmd) { cmd.SysProcAttr = &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL} }
