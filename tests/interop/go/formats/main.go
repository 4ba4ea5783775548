// Formats cosigns, and checks cosignatures and proofs, with github.com/transparency-dev/formats and …/merkle.
//
//	formats cosign KEYFILE CHECKPOINT     the checkpoint with one more signature: Ed25519 or ML-DSA-44, as the key is
//	formats accept POLICY CHECKPOINT      whether the policy's quorum of witnesses has cosigned
//	formats subtree VKEY CHECKPOINT       whether an ML-DSA-44 key has cosigned, as a statement about the tree [0, size)
//	formats treehead VKEY CHECKPOINT      whether a log of certificates has signed a checkpoint, as a tree head of RFC 6962
//	formats verify PROOF LEAF VKEY        a tlog-proof; LEAF is its entry's hash in hexadecimal; prints it formatted again
//
// Exit code 1 means that the libraries refused what was read, 3 that something else went wrong.
package main

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"os"
	"strings"

	"example.com/tiletree/interop/refusal"
	"github.com/transparency-dev/formats/log"
	f_note "github.com/transparency-dev/formats/note"
	f_proof "github.com/transparency-dev/formats/proof"
	"github.com/transparency-dev/formats/witness"
	"github.com/transparency-dev/merkle/proof"
	"github.com/transparency-dev/merkle/rfc6962"
	"golang.org/x/mod/sumdb/note"
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) == 3 && arguments[0] == "cosign":
		err = cosign(arguments[1], arguments[2])
	case len(arguments) == 3 && arguments[0] == "accept":
		err = accept(arguments[1], arguments[2])
	case len(arguments) == 3 && arguments[0] == "subtree":
		err = subtree(arguments[1], arguments[2])
	case len(arguments) == 4 && arguments[0] == "verify":
		err = verify(arguments[1], arguments[2], arguments[3])
	case len(arguments) == 3 && arguments[0] == "treehead":
		err = treeHead(arguments[1], arguments[2])
	default:
		err = errors.New("usage: formats cosign | accept | subtree | treehead | verify")
	}
	refusal.Exit(err)
}

// unopened returns a note, none of its signatures verified.
func unopened(path string) (*note.Note, error) {
	data, err := os.ReadFile(path)
	if err != nil {
		return nil, err
	}
	unverified := &note.UnverifiedNoteError{}
	if _, err = note.Open(data, note.VerifierList()); !errors.As(err, &unverified) {
		return nil, refusal.By("checkpoint", err)
	}
	return unverified.Note, nil
}

func treeHead(vkey, path string) error {
	verifier, err := f_note.NewRFC6962Verifier(vkey)
	if err != nil {
		return refusal.By("verifier key", err)
	}
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	_, _, _, err = log.ParseCheckpoint(data, verifier.Name(), verifier)
	return refusal.By("checkpoint", err)
}

func cosign(keyFile, path string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	signer, err := f_note.NewSignerForCosignatureV1(string(bytes.TrimSuffix(key, []byte("\n"))))
	if err != nil {
		return refusal.By("signing key", err)
	}
	checkpoint, err := unopened(path)
	if err != nil {
		return err
	}
	signed, err := note.Sign(checkpoint, signer)
	if err != nil {
		return refusal.By("checkpoint", err)
	}
	_, err = os.Stdout.Write(signed)
	return err
}

func accept(policyPath, path string) error {
	data, err := os.ReadFile(policyPath)
	if err != nil {
		return err
	}
	policy, err := witness.ParsePolicy(data)
	if err != nil {
		return refusal.By("policy", err)
	}
	checkpoint, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	if !policy.Satisfied(checkpoint) {
		return refusal.By("checkpoint", errors.New("the quorum is not met"))
	}
	return nil
}

func subtree(vkey, path string) error {
	verifier, err := f_note.NewMLDSAVerifier(vkey)
	if err != nil {
		return refusal.By("verifier key", err)
	}
	opened, err := unopened(path)
	if err != nil {
		return err
	}
	checkpoint := log.Checkpoint{}
	if _, err := checkpoint.Unmarshal([]byte(opened.Text)); err != nil {
		return refusal.By("checkpoint", err)
	}
	for _, signature := range opened.UnverifiedSigs {
		if signature.Name != verifier.Name() || signature.Hash != verifier.KeyHash() {
			continue
		}
		when, err := f_note.CoSigV1Timestamp(signature)
		if err != nil {
			return refusal.By("timestamp", err)
		}
		data, err := base64.StdEncoding.DecodeString(signature.Base64)
		if err != nil {
			return refusal.By("signature", err)
		}
		timestamp, raw := uint64(when.Unix()), data[4:] // after the key hash; raw begins with the timestamp again
		if verifier.VerifySubtree(timestamp, checkpoint.Origin, 0, checkpoint.Size, checkpoint.Hash, raw) {
			fmt.Println(timestamp)
			return nil
		}
		return refusal.By("signature", errors.New("it does not verify"))
	}
	return refusal.By("checkpoint", errors.New("no signature of this key"))
}

func verify(path, leaf, vkey string) error {
	data, err := os.ReadFile(path)
	if err != nil {
		return err
	}
	parsed := f_proof.TLogProof{}
	if err := parsed.Unmarshal(data); err != nil {
		return refusal.By("proof", err)
	}
	verifier, err := note.NewVerifier(strings.TrimSpace(vkey))
	if err != nil {
		return refusal.By("verifier key", err)
	}
	checkpoint, _, _, err := log.ParseCheckpoint(parsed.Checkpoint, verifier.Name(), verifier)
	if err != nil {
		return refusal.By("checkpoint", err)
	}
	hash, err := hex.DecodeString(leaf)
	if err != nil {
		return err
	}
	hashes := make([][]byte, 0, len(parsed.Hashes))
	for i := range parsed.Hashes {
		hashes = append(hashes, parsed.Hashes[i][:])
	}
	err = proof.VerifyInclusion(rfc6962.DefaultHasher, parsed.Index, checkpoint.Size, hash, hashes, checkpoint.Hash)
	if err != nil {
		return refusal.By("inclusion", err)
	}
	_, err = os.Stdout.Write(parsed.Marshal())
	return err
}
