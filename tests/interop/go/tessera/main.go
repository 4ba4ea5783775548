// Tessera checks a log with Tessera's client and fsck packages, and writes one with its POSIX storage.
//
//	tessera check LOG VKEY            a directory or http:// URL: fsck, inclusion proofs, consistency
//	tessera check LOG VKEY OLDER…     …of these older checkpoints as well
//	tessera write LOG KEYFILE         each line of standard input is an entry; ends when all are published
//	tessera write LOG KEYFILE POLICY  …with the cosignatures that this policy file demands
//
// Exit code 1 means that the libraries refused what was read, 3 that something else went wrong.
package main

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"os"
	"strings"
	"time"

	"example.com/tiletree/interop/refusal"
	"github.com/transparency-dev/formats/log"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const (
	workers  = 8       // of fsck; one that finds something wrong stops, and if all have stopped, fsck never ends
	most     = 1 << 17 // entries at a time
	few      = 1 << 9  // entries, of all of which inclusion is proven
	step     = 61      // otherwise
	interval = 100 * time.Millisecond
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) >= 3 && arguments[0] == "check":
		err = check(context.Background(), arguments[1], arguments[2], arguments[3:])
	case len(arguments) == 3 && arguments[0] == "write":
		err = write(context.Background(), arguments[1], arguments[2], "")
	case len(arguments) == 4 && arguments[0] == "write":
		err = write(context.Background(), arguments[1], arguments[2], arguments[3])
	default:
		err = errors.New("usage: tessera check LOG VKEY OLDER… | write LOG KEYFILE [POLICY]")
	}
	refusal.Exit(err)
}

func check(ctx context.Context, location, vkey string, older []string) error {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return refusal.By("verifier key", err)
	}
	origin := verifier.Name()
	fetcher, err := open(location)
	if err != nil {
		return err
	}
	if err := fsck.New(origin, verifier, fetcher, leaves, fsck.Opts{N: workers}).Check(ctx); err != nil {
		return refusal.By("fsck", err)
	}
	checkpoint, raw, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, origin)
	if err != nil {
		return refusal.By("checkpoint", err)
	}
	if err := checkEntries(ctx, fetcher, checkpoint); err != nil {
		return err
	}
	for _, path := range older {
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tracker, err := client.NewLogStateTracker(
			ctx, fetcher.ReadTile, data, verifier, origin, client.UnilateralConsensus(fetcher.ReadCheckpoint))
		if err != nil {
			return refusal.By(path, err)
		}
		if _, _, latest, err := tracker.Update(ctx); err != nil {
			return refusal.By(path, err)
		} else if string(latest) != string(raw) {
			return refusal.By(path, errors.New("the newest checkpoint was not taken for newer"))
		}
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]uint64{"size": checkpoint.Size})
}

func open(location string) (fsck.Fetcher, error) {
	if !strings.HasPrefix(location, "http://") {
		return client.FileFetcher{Root: location}, nil
	}
	address, err := url.Parse(location)
	if err != nil {
		return nil, err
	}
	return client.NewHTTPFetcher(address, nil)
}

// leaves returns the leaf hashes of the entries in a bundle.
func leaves(data []byte) ([][]byte, error) {
	bundle := api.EntryBundle{}
	if err := bundle.UnmarshalText(data); err != nil {
		return nil, err
	}
	hashes := make([][]byte, 0, len(bundle.Entries))
	for _, entry := range bundle.Entries {
		hashes = append(hashes, rfc6962.DefaultHasher.HashLeaf(entry))
	}
	return hashes, nil
}

// checkEntries builds and checks the inclusion proof of each entry; where there are many, of some, and of the last.
func checkEntries(ctx context.Context, fetcher fsck.Fetcher, checkpoint *log.Checkpoint) error {
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, fetcher.ReadTile)
	if err != nil {
		return refusal.By("proof builder", err)
	}
	size := func(context.Context) (uint64, error) { return checkpoint.Size, nil }
	bundles := client.EntryBundles(ctx, 1, size, fetcher.ReadEntryBundle, 0, checkpoint.Size)
	for entry, err := range client.Entries(bundles, leaves) {
		if err != nil {
			return refusal.By("entries", err)
		}
		if checkpoint.Size > few && entry.Index%step != 0 && entry.Index+few < checkpoint.Size {
			continue
		}
		hashes, err := builder.InclusionProof(ctx, entry.Index)
		if err == nil {
			err = proof.VerifyInclusion(
				rfc6962.DefaultHasher, entry.Index, checkpoint.Size, entry.Entry, hashes, checkpoint.Hash)
		}
		if err != nil {
			return refusal.By(fmt.Sprintf("entry %d", entry.Index), err)
		}
	}
	return nil
}

func write(ctx context.Context, directory, keyFile, policyFile string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(strings.TrimSuffix(string(key), "\n"))
	if err != nil {
		return refusal.By("signing key", err)
	}
	driver, err := posix.New(ctx, posix.Config{Path: directory})
	if err != nil {
		return err
	}
	options := tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(interval).
		WithBatching(most, interval).
		WithPushback(most)
	if policyFile != "" {
		policy, err := os.ReadFile(policyFile)
		if err != nil {
			return err
		}
		witnesses, err := tessera.NewWitnessGroupFromPolicy(policy)
		if err != nil {
			return refusal.By("policy", err)
		}
		options = options.WithWitnesses(witnesses, nil)
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, options)
	if err != nil {
		return err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, interval)
	var futures []tessera.IndexFuture
	lines := bufio.NewScanner(os.Stdin)
	for lines.Scan() {
		futures = append(futures, appender.Add(ctx, tessera.NewEntry([]byte(lines.Text()))))
	}
	if err := lines.Err(); err != nil {
		return err
	}
	for _, future := range futures {
		if _, _, err := awaiter.Await(ctx, future); err != nil {
			return err
		}
	}
	return shutdown(ctx)
}
