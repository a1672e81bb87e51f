package main

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"

	"golang.org/x/sys/unix"
	"k8s.io/cri-streaming/pkg/streaming/remotecommand"
	utilexec "k8s.io/utils/exec"
)

// A runner runs processes of this machine as those of one pod.
type runner struct {
	pod  *pod
	work string
}

// ExecInContainer runs a command until it ends, or until whoever asked for it has gone.
func (r *runner) ExecInContainer(ctx context.Context, name, uid, container string, words []string, in io.Reader, out, errors io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize, _ time.Duration) error {
	command, err := r.command(container, words)
	if err != nil {
		return err
	}
	if tty {
		return inTerminal(ctx, command, in, out, resize)
	}
	return piped(ctx, command, in, out, errors)
}

// AttachContainer shows a heartbeat of the container, which is all that a simulated one says.
func (r *runner) AttachContainer(ctx context.Context, name, uid, container string, in io.Reader, out, errors io.WriteCloser, tty bool, resize <-chan remotecommand.TerminalSize) error {
	words := []string{"sh", "-c", "while :; do echo \"$POD/$CONTAINER is alive\"; sleep 1; done"}
	command, err := r.command(container, words)
	if err != nil {
		return err
	}
	return piped(ctx, command, in, out, errors)
}

// command is a process of its own session, so that it ends with all its children.
func (r *runner) command(container string, words []string) (*exec.Cmd, error) {
	if len(words) == 0 {
		return nil, fmt.Errorf("there is no command")
	}
	program, err := exec.LookPath(words[0])
	if err != nil {
		// What an image has in folders of its own.
		program, err = exec.LookPath(filepath.Base(words[0]))
	}
	if err != nil || !r.pod.has(words[0]) {
		why := "executable file not found in $PATH"
		if strings.Contains(words[0], "/") {
			why = "stat " + words[0] + ": no such file or directory"
		}
		return nil, fmt.Errorf("failed to exec in container: failed to start exec %q: OCI runtime exec failed: exec failed: unable to start container process: exec: %q: %s", "simulated", words[0], why)
	}
	command := exec.Command(program, words[1:]...)
	command.Args[0] = words[0]
	command.Dir = r.work
	pod := r.pod.Metadata
	command.Env = []string{
		"PATH=" + os.Getenv("PATH"), "HOME=" + r.work, "TERM=xterm", "HOSTNAME=" + pod.Name,
		"POD=" + pod.Name, "NAMESPACE=" + pod.Namespace, "UID_OF_POD=" + pod.UID, "CONTAINER=" + container,
		fmt.Sprintf("PS1=%s:%s$ ", pod.Name, container),
	}
	command.SysProcAttr = &syscall.SysProcAttr{Setsid: true}
	return command, nil
}

func piped(ctx context.Context, command *exec.Cmd, in io.Reader, out, errors io.Writer) error {
	command.Stdout, command.Stderr = out, errors
	// Not Cmd.Stdin: Wait would wait for an input that never ends.
	var input io.WriteCloser
	if in != nil {
		var err error
		if input, err = command.StdinPipe(); err != nil {
			return err
		}
	}
	if err := command.Start(); err != nil {
		return err
	}
	if input != nil {
		go func() {
			_, _ = io.Copy(input, in)
			input.Close()
		}()
	}
	return wait(ctx, command)
}

func inTerminal(ctx context.Context, command *exec.Cmd, in io.Reader, out io.Writer, resize <-chan remotecommand.TerminalSize) error {
	master, slave, err := terminal()
	if err != nil {
		return err
	}
	defer master.Close()
	command.Stdin, command.Stdout, command.Stderr = slave, slave, slave
	command.SysProcAttr.Setctty = true
	err = command.Start()
	slave.Close()
	if err != nil {
		return err
	}
	go func() {
		for size := range resize {
			_ = unix.IoctlSetWinsize(int(master.Fd()), unix.TIOCSWINSZ, &unix.Winsize{Row: size.Height, Col: size.Width})
		}
	}()
	gone := make(chan struct{})
	if in != nil {
		go func() {
			_, _ = io.Copy(master, in)
			close(gone)
		}()
	}
	said := make(chan struct{})
	go func() {
		_, _ = io.Copy(out, master)
		close(said)
	}()
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	go func() {
		select {
		case <-gone:
			// Whoever typed has gone; a terminal that hangs up ends what runs in it.
			cancel()
		case <-ctx.Done():
		}
	}()
	err = wait(ctx, command)
	<-said
	return err
}

// wait is for the end of a process, which it brings about when nobody is there any more.
func wait(ctx context.Context, command *exec.Cmd) error {
	ended := make(chan error, 1)
	go func() { ended <- command.Wait() }()
	var err error
	select {
	case err = <-ended:
	case <-ctx.Done():
		_ = syscall.Kill(-command.Process.Pid, syscall.SIGKILL)
		err = <-ended
	}
	var exit *exec.ExitError
	if errors.As(err, &exit) {
		code := exit.ExitCode()
		if status, ok := exit.Sys().(syscall.WaitStatus); ok && status.Signaled() {
			code = 128 + int(status.Signal())
		}
		return utilexec.CodeExitError{Err: err, Code: code}
	}
	return err
}

// terminal makes a pty.
func terminal() (master, slave *os.File, err error) {
	master, err = os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, nil, err
	}
	number, err := unix.IoctlGetInt(int(master.Fd()), unix.TIOCGPTN)
	if err == nil {
		err = unix.IoctlSetPointerInt(int(master.Fd()), unix.TIOCSPTLCK, 0)
	}
	if err == nil {
		slave, err = os.OpenFile(fmt.Sprintf("/dev/pts/%d", number), os.O_RDWR|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	}
	if err != nil {
		master.Close()
		return nil, nil, err
	}
	return master, slave, nil
}
