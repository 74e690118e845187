// Command hold waits until a file appears and then becomes another program.
//
//	hold FILE PROGRAM [ARGUMENT...]
//
// It is the first process of a container whose program must not run yet: the engine's share of a start (namespaces,
// networks, ports) is done while the program still waits for what it needs. The file stays, so a container that is
// started again does not wait. Nothing is polled; a signal ends it as it would end the program.
package main

import (
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"path/filepath"
	"syscall"
)

func main() {
	if len(os.Args) < 3 {
		fmt.Fprintln(os.Stderr, "usage: hold FILE PROGRAM [ARGUMENT...]")
		os.Exit(2)
	}
	// The first process of a container has no default reaction to a signal.
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGTERM, syscall.SIGINT, syscall.SIGQUIT)
	go func() {
		received := <-signals
		os.Exit(128 + int(received.(syscall.Signal)))
	}()
	if err := wait(os.Args[1]); err != nil {
		fmt.Fprintf(os.Stderr, "hold: %v\n", err)
		os.Exit(1)
	}
	signal.Reset()
	err := syscall.Exec(os.Args[2], os.Args[2:], os.Environ())
	fmt.Fprintf(os.Stderr, "hold: %s: %v\n", os.Args[2], err)
	os.Exit(127)
}

// wait returns once the file is there. The watch begins before the first look, so no appearance is missed.
func wait(file string) error {
	events, err := syscall.InotifyInit1(syscall.IN_CLOEXEC)
	if err != nil {
		return fmt.Errorf("inotify: %w", err)
	}
	const appears = syscall.IN_CREATE | syscall.IN_MOVED_TO | syscall.IN_CLOSE_WRITE | syscall.IN_ATTRIB
	if _, err := syscall.InotifyAddWatch(events, filepath.Dir(file), appears); err != nil {
		return fmt.Errorf("watch %s: %w", filepath.Dir(file), err)
	}
	buffer := make([]byte, 4096)
	for {
		if _, err := os.Stat(file); err == nil {
			return nil
		} else if !errors.Is(err, fs.ErrNotExist) {
			return err
		}
		if _, err := syscall.Read(events, buffer); err != nil && !errors.Is(err, syscall.EINTR) {
			return fmt.Errorf("read: %w", err)
		}
	}
}
