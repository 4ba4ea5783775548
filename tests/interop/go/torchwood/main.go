// Torchwood reads and checks what a log says with filippo.io/torchwood, and cosigns as a witness made with it would.
//
//	torchwood read LOG POLICY              the checkpoint, and every entry's inclusion; prints size and entries' hash
//	torchwood prove LOG POLICY INDEX…      a tlog-proof of each entry, one JSON string each
//	torchwood verify POLICY PROOF LEAF     a tlog-proof; LEAF is its entry's hash in hexadecimal
//	torchwood accept POLICY CHECKPOINT     a checkpoint
//	torchwood cosign KEY CHECKPOINT        the checkpoint with one more signature; KEY: file of name and seed in hex
//
// Exit code 1 means that the library refused what was read, 3 that something else went wrong.
package main

import (
	"bytes"
	"context"
	"crypto/ed25519"
	"crypto/sha256"
	"encoding/binary"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"

	"example.com/tiletree/interop/refusal"
	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) == 3 && arguments[0] == "read":
		err = read(context.Background(), arguments[1], arguments[2])
	case len(arguments) >= 3 && arguments[0] == "prove":
		err = prove(context.Background(), arguments[1], arguments[2], arguments[3:])
	case len(arguments) == 4 && arguments[0] == "verify":
		err = verify(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 3 && arguments[0] == "accept":
		_, _, err = accept(arguments[1], arguments[2])
	case len(arguments) == 3 && arguments[0] == "cosign":
		err = cosign(arguments[1], arguments[2])
	default:
		err = errors.New("usage: torchwood read | prove | verify | accept | cosign")
	}
	refusal.Exit(err)
}

func readPolicy(path string) (torchwood.Policy, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	policy, err := torchwood.ParsePolicy(data)
	return policy, refusal.By("policy", err)
}

// accept returns what a checkpoint says and its bytes, if the policy accepts it.
func accept(policyPath, path string) (torchwood.Checkpoint, []byte, error) {
	policy, err := readPolicy(policyPath)
	if err != nil {
		return torchwood.Checkpoint{}, nil, err
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return torchwood.Checkpoint{}, nil, err
	}
	checkpoint, _, err := torchwood.VerifyCheckpoint(data, policy)
	return checkpoint, data, refusal.By("checkpoint", err)
}

func open(log string) (*torchwood.Client, error) {
	files, err := torchwood.NewTileFS(os.DirFS(log))
	if err != nil {
		return nil, err
	}
	return torchwood.NewClient(files)
}

func read(ctx context.Context, log, policy string) error {
	checkpoint, _, err := accept(policy, filepath.Join(log, "checkpoint"))
	if err != nil {
		return err
	}
	client, err := open(log)
	if err != nil {
		return err
	}
	entries, size, sum := sha256.New(), int64(0), [8]byte{}
	for index, entry := range client.AllEntries(ctx, checkpoint.Tree, 0) {
		if index != size {
			return refusal.By("entries", fmt.Errorf("entry %d where %d was due", index, size))
		}
		size++
		binary.BigEndian.PutUint64(sum[:], uint64(len(entry)))
		entries.Write(sum[:])
		entries.Write(entry)
	}
	if err := client.Err(); err != nil {
		return refusal.By("entries", err)
	}
	return json.NewEncoder(os.Stdout).Encode(
		map[string]any{"size": size, "sha256": hex.EncodeToString(entries.Sum(nil))})
}

func prove(ctx context.Context, log, policy string, indexes []string) error {
	checkpoint, signed, err := accept(policy, filepath.Join(log, "checkpoint"))
	if err != nil {
		return err
	}
	client, err := open(log)
	if err != nil {
		return err
	}
	for _, argument := range indexes {
		index, err := strconv.ParseInt(argument, 10, 64)
		if err != nil {
			return err
		}
		_, proof, err := client.Entry(ctx, checkpoint.Tree, index)
		if err != nil {
			return refusal.By("entry "+argument, err)
		}
		if err := json.NewEncoder(os.Stdout).Encode(string(torchwood.FormatProof(index, proof, signed))); err != nil {
			return err
		}
	}
	return nil
}

func verify(policyPath, proofPath, leaf string) error {
	policy, err := readPolicy(policyPath)
	if err != nil {
		return err
	}
	proof, err := os.ReadFile(proofPath)
	if err != nil {
		return err
	}
	hash, err := hex.DecodeString(leaf)
	if err != nil || len(hash) != tlog.HashSize {
		return fmt.Errorf("not a hash: %s", leaf)
	}
	if err := torchwood.VerifyProof(policy, tlog.Hash(hash), proof); err != nil {
		return refusal.By("proof", err)
	}
	if extra, err := torchwood.ProofExtraData(proof); err == nil {
		fmt.Printf("%s\n", extra)
	}
	return nil
}

func cosign(keyPath, path string) error {
	key, err := os.ReadFile(keyPath)
	if err != nil {
		return err
	}
	name, seed, _ := bytes.Cut(bytes.TrimSpace(key), []byte(" "))
	secret, err := hex.DecodeString(string(seed))
	if err != nil || len(secret) != ed25519.SeedSize {
		return errors.New("the key is not a name, a space and a seed in hexadecimal")
	}
	signer, err := torchwood.NewCosignatureSigner(string(name), ed25519.NewKeyFromSeed(secret))
	if err != nil {
		return refusal.By("key", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	unverified := &note.UnverifiedNoteError{}
	if _, err = note.Open(data, note.VerifierList()); !errors.As(err, &unverified) {
		return refusal.By("checkpoint", err)
	}
	signed, err := note.Sign(unverified.Note, signer)
	if err != nil {
		return refusal.By("checkpoint", err)
	}
	_, err = os.Stdout.Write(signed)
	return err
}
