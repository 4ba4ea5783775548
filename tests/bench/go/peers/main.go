// Peers runs other implementations for `make bench`, each as well as it can, and prints what that took as JSON.
//
//	peers publish LOG ENTRIES BATCH     Tessera's POSIX storage: every entry integrated, and in a published checkpoint
//	peers fsck LOG VKEY WORKERS         Tessera's fsck of a log in a directory
//	peers prove-tessera LOG VKEY N      N inclusion proofs by Tessera's client, which is kept
//	peers prove-tlog LOG VKEY N         N inclusion proofs by golang.org/x/mod/sumdb/tlog, tiles kept and authenticated
//	peers verify POLICY DIRECTORY N     N proof texts verified by torchwood: DIRECTORY has leaves, 0, 1, …
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"
	"syscall"
	"time"
)

const origin = "bench.example.com/log"

// figures is what a run took: seconds within the clock, and all that the process used.
type figures struct {
	Seconds float64 `json:"seconds"`
	CPU     float64 `json:"cpu"`
	Peak    int64   `json:"peak"`
	Count   int     `json:"count"`
}

func main() {
	if err := run(context.Background(), os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string) error {
	if len(arguments) != 4 {
		return errors.New("usage: peers publish | fsck | prove-tessera | prove-tlog | verify, and three arguments")
	}
	place, given := arguments[1], arguments[2]
	count, err := strconv.Atoi(arguments[3])
	if err != nil {
		return err
	}
	var taken time.Duration
	switch arguments[0] {
	case "publish":
		batch := count
		if count, err = strconv.Atoi(given); err == nil {
			taken, err = publish(ctx, place, count, batch)
		}
	case "fsck":
		taken, count, err = check(ctx, place, given, count)
	case "prove-tessera":
		taken, err = proveTessera(ctx, place, given, count)
	case "prove-tlog":
		taken, err = proveTlog(place, given, count)
	case "verify":
		taken, err = verify(place, given, count)
	default:
		err = fmt.Errorf("there is no %s", arguments[0])
	}
	if err != nil {
		return err
	}
	peak, err := peak()
	if err != nil {
		return err
	}
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return err
	}
	cpu := time.Duration(usage.Utime.Nano() + usage.Stime.Nano())
	return json.NewEncoder(os.Stdout).Encode(figures{taken.Seconds(), cpu.Seconds(), peak, count})
}

// peak returns the most resident bytes; getrusage would also count what the parent had when it started this.
func peak() (int64, error) {
	data, err := os.ReadFile("/proc/self/status")
	if errors.Is(err, os.ErrNotExist) {
		return 0, nil // not on Linux
	}
	for _, line := range strings.Split(string(data), "\n") {
		if fields := strings.Fields(line); len(fields) > 1 && fields[0] == "VmHWM:" {
			kilobytes, err := strconv.ParseInt(fields[1], 10, 64)
			return 1024 * kilobytes, err
		}
	}
	return 0, err
}

// indexOf returns the index of which the proof with this number is made: the same ones for everyone, in no order.
func indexOf(number int, size uint64) uint64 {
	return uint64(number) * 2654435761 % size
}
