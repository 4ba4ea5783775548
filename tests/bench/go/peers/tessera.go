package main

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/transparency-dev/merkle/rfc6962"
	"github.com/transparency-dev/tessera"
	"github.com/transparency-dev/tessera/api"
	"github.com/transparency-dev/tessera/client"
	"github.com/transparency-dev/tessera/fsck"
	"github.com/transparency-dev/tessera/storage/posix"
	"golang.org/x/mod/sumdb/note"
)

const (
	interval = 100 * time.Millisecond // between checkpoints: the least that it permits
	poll     = 5 * time.Millisecond
)

// publish appends entries of 200 bytes, up to two batches of them waiting, and returns once all are published.
func publish(ctx context.Context, directory string, entries, batch int) (time.Duration, error) {
	seed := make([]byte, 32)
	for i := range seed {
		seed[i] = byte(i)
	}
	private, _, err := note.GenerateKey(bytes.NewReader(seed), origin)
	if err != nil {
		return 0, err
	}
	signer, err := note.NewSigner(private)
	if err != nil {
		return 0, err
	}
	driver, err := posix.New(ctx, posix.Config{Path: directory})
	if err != nil {
		return 0, err
	}
	appender, shutdown, reader, err := tessera.NewAppender(ctx, driver, tessera.NewAppendOptions().
		WithCheckpointSigner(signer).
		WithCheckpointInterval(interval).
		WithBatching(uint(batch), interval).
		WithPushback(uint(4*batch)))
	if err != nil {
		return 0, err
	}
	awaiter := tessera.NewPublicationAwaiter(ctx, reader.ReadCheckpoint, poll)
	waiting := make(chan tessera.IndexFuture, 2*batch)
	integrated := make(chan error, 1)
	last := tessera.IndexFuture(nil)
	started := time.Now()
	go func() {
		var failure error
		for future := range waiting {
			if _, err := future(); err != nil && failure == nil {
				failure = err
			}
			last = future
		}
		integrated <- failure
	}()
	for index := range entries {
		waiting <- appender.Add(ctx, tessera.NewEntry(bytes.Repeat(fmt.Appendf(nil, "%020d", index), 10)))
	}
	close(waiting)
	if err := <-integrated; err != nil {
		return 0, err
	}
	if _, _, err := awaiter.Await(ctx, last); err != nil {
		return 0, err
	}
	taken := time.Since(started)
	return taken, shutdown(ctx)
}

// check returns how long fsck took, and how many entries it has checked.
func check(ctx context.Context, directory, vkey string, workers int) (time.Duration, int, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, 0, err
	}
	fetcher := client.FileFetcher{Root: directory}
	started := time.Now()
	if err := fsck.New(origin, verifier, fetcher, leaves, fsck.Opts{N: uint(workers)}).Check(ctx); err != nil {
		return 0, 0, err
	}
	taken := time.Since(started)
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, origin)
	if err != nil {
		return 0, 0, err
	}
	return taken, int(checkpoint.Size), nil
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

func proveTessera(ctx context.Context, directory, vkey string, count int) (time.Duration, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	fetcher := client.FileFetcher{Root: directory}
	checkpoint, _, _, err := client.FetchCheckpoint(ctx, fetcher.ReadCheckpoint, verifier, origin)
	if err != nil {
		return 0, err
	}
	builder, err := client.NewProofBuilder(ctx, checkpoint.Size, fetcher.ReadTile)
	if err != nil {
		return 0, err
	}
	started := time.Now()
	for number := range count {
		hashes, err := builder.InclusionProof(ctx, indexOf(number, checkpoint.Size))
		if err != nil {
			return 0, err
		}
		if len(hashes) == 0 {
			return 0, errors.New("a proof without hashes")
		}
	}
	return time.Since(started), nil
}
