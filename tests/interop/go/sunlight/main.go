// Sunlight reads and checks a log of certificates with the client that filippo.io/sunlight has for it.
//
//	sunlight check LOG KEY    the checkpoint, every entry, every issuer, and the SCTs on standard input, one base64 a line
//
// LOG is an address or a file:// or gzip+file:// URL of a directory; KEY is the log's, DER in base64. It prints the size,
// how many precertificates and issuers there are, and the SHA-256 of all leaf hashes. Exit code 1 means that the library
// refused what was read, 3 that something else went wrong.
package main

import (
	"bufio"
	"context"
	"crypto/sha256"
	"crypto/x509"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"

	"example.com/tiletree/interop/refusal"
	"filippo.io/sunlight"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	err := errors.New("usage: sunlight check LOG KEY")
	if len(os.Args) == 4 && os.Args[1] == "check" {
		err = check(context.Background(), os.Args[2], os.Args[3])
	}
	refusal.Exit(err)
}

type found struct {
	Size            int64  `json:"size"`
	Precertificates int    `json:"precertificates"`
	Issuers         int    `json:"issuers"`
	Leaves          string `json:"leaves"`
	SCTs            int    `json:"scts"`
}

func check(ctx context.Context, log, encoded string) error {
	der, err := base64.StdEncoding.DecodeString(encoded)
	if err != nil {
		return err
	}
	key, err := x509.ParsePKIXPublicKey(der)
	if err != nil {
		return err
	}
	client, err := sunlight.NewClient(&sunlight.ClientConfig{
		MonitoringPrefix: log, PublicKey: key, UserAgent: "interop (interop@example.com)",
	})
	if err != nil {
		return err
	}
	checkpoint, _, err := client.Checkpoint(ctx)
	if err != nil {
		return refusal.By("checkpoint", err)
	}
	result := found{Size: checkpoint.N}
	issuers, leaves := map[[32]byte]bool{}, sha256.New()
	take := func(index int64, entry *sunlight.LogEntry) error {
		if entry.LeafIndex != index {
			return refusal.By("entry", fmt.Errorf("%d says that it is %d", index, entry.LeafIndex))
		}
		if entry.IsPrecert {
			result.Precertificates++
		}
		for _, fingerprint := range entry.ChainFingerprints {
			if !issuers[fingerprint] {
				if _, err := client.Issuer(ctx, fingerprint); err != nil {
					return refusal.By("issuer", err)
				}
				issuers[fingerprint] = true
			}
		}
		hash := tlog.RecordHash(entry.MerkleTreeLeaf())
		leaves.Write(hash[:])
		return nil
	}
	next := int64(0)
	for index, entry := range client.Entries(ctx, checkpoint.Tree, 0) {
		if err := take(index, entry); err != nil {
			return err
		}
		next = index + 1
	}
	if err := client.Err(); err != nil {
		return refusal.By("entries", err)
	}
	for ; next < checkpoint.N; next++ { // the iterator leaves out what is in a partial tile
		entry, _, err := client.Entry(ctx, checkpoint.Tree, next)
		if err != nil {
			return refusal.By("entry", err)
		}
		if err := take(next, entry); err != nil {
			return err
		}
	}
	lines := bufio.NewScanner(os.Stdin)
	for ; lines.Scan(); result.SCTs++ {
		sct, err := base64.StdEncoding.DecodeString(lines.Text())
		if err != nil {
			return err
		}
		if _, _, err := client.CheckInclusion(ctx, checkpoint.Tree, sct); err != nil {
			return refusal.By("SCT", err)
		}
	}
	result.Issuers, result.Leaves = len(issuers), hex.EncodeToString(leaves.Sum(nil))
	return errors.Join(lines.Err(), json.NewEncoder(os.Stdout).Encode(result))
}
