// Command regtest-wallet writes what lnd finds in its data folder at its first start on regtest: the wallet, the
// macaroon store, macaroons and a TLS pair, for many nodes at once.
//
// Keys are derived from the given seeds, so identities and addresses are known before any node runs. The scrypt
// parameters are the cheap ones of lnd's own integration tests; they are stored in the databases, so an unmodified lnd
// opens them at once with --noseedbackup. That protects nothing: the program knows no network but regtest and must
// never learn another.
//
// Two lines of JSON in, two lines of JSON out, so that addresses can be paid before the wallets are closed:
//
//	in 1   {"nodes": [{"name", "seed": hex, "macaroon_root_key": hex, "addresses": n, "hosts": [], "ips": []}]}
//	out 1  {"nodes": [{"name", "pubkey": hex, "addresses": []}]}
//	in 2   {"synced_to": {"height", "hash", "time": unix seconds}, "blocks": [hex]}
//	out 2  {"nodes": [{"name", "files": {path in lnd's folder: base64}}]}
//
// The wallet believes that nothing concerns it up to "synced_to", and knows what "blocks", those that follow, pay to it;
// its first look at the chain starts behind them. An input that ends after the first line ends the program with the first
// answer. Nothing secret is ever printed but in "files".
package main

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/signal"
	"sync"
	"syscall"
)

type request struct {
	Nodes []nodeRequest `json:"nodes"`
}

type closing struct {
	SyncedTo block    `json:"synced_to"`
	Blocks   []string `json:"blocks"`
}

type answer[T any] struct {
	Nodes []T `json:"nodes"`
}

func main() {
	signal.Ignore(syscall.SIGPIPE) // who asked is gone: the write fails, and the temporary folder is removed
	if err := run(os.Stdin, os.Stdout); err != nil {
		fmt.Fprintf(os.Stderr, "regtest-wallet: %v\n", err)
		os.Exit(1)
	}
}

func run(in io.Reader, out io.Writer) error {
	lines := json.NewDecoder(bufio.NewReader(in))
	lines.DisallowUnknownFields()
	var wanted request
	if err := lines.Decode(&wanted); err != nil {
		return fmt.Errorf("first line of input: %w", err)
	}
	folder, err := temporaryFolder()
	if err != nil {
		return err
	}
	defer os.RemoveAll(folder)

	nodes, err := each(wanted.Nodes, func(node nodeRequest) (*node, error) { return create(folder, node) })
	if err != nil {
		return err
	}
	// The databases are open and stay so; without names they vanish with this program, however it ends.
	if err := os.RemoveAll(folder); err != nil {
		return err
	}
	if err := say(out, nodes, func(n *node) any { return n.public }); err != nil {
		return err
	}

	var end closing
	if err := lines.Decode(&end); errors.Is(err, io.EOF) {
		return nil
	} else if err != nil {
		return fmt.Errorf("second line of input: %w", err)
	}
	sealed, err := each(nodes, func(n *node) (*files, error) { return n.seal(end) })
	if err != nil {
		return err
	}
	return say(out, sealed, func(f *files) any { return f })
}

// each maps over all at once and returns the first error.
func each[In, Out any](all []In, step func(In) (Out, error)) ([]Out, error) {
	results, failures := make([]Out, len(all)), make([]error, len(all))
	var group sync.WaitGroup
	for i := range all {
		group.Add(1)
		go func() {
			defer group.Done()
			results[i], failures[i] = step(all[i])
		}()
	}
	group.Wait()
	return results, errors.Join(failures...)
}

func say[T any](out io.Writer, nodes []T, view func(T) any) error {
	views := make([]any, len(nodes))
	for i, one := range nodes {
		views[i] = view(one)
	}
	return json.NewEncoder(out).Encode(answer[any]{Nodes: views})
}

// temporaryFolder prefers memory: the databases are written many times before they are read once.
func temporaryFolder() (string, error) {
	if folder, err := os.MkdirTemp("/dev/shm", "regtest-wallet-"); err == nil {
		return folder, nil
	}
	return os.MkdirTemp("", "regtest-wallet-")
}
