package main

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"filippo.io/torchwood"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const most = 1024 // tiles kept, as many as tiletree's reader keeps

// tiles reads tiles by the paths of tlog-tiles, and keeps those that were authenticated.
type tiles struct {
	log  string
	kept map[tlog.Tile][]byte
}

func (t *tiles) Height() int { return 8 }

func (t *tiles) SaveTiles(read []tlog.Tile, data [][]byte) {
	for i, tile := range read {
		if len(t.kept) >= most {
			for old := range t.kept {
				delete(t.kept, old)
				break
			}
		}
		t.kept[tile] = data[i]
	}
}

func (t *tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		kept, ok := t.kept[tile]
		if !ok {
			var err error
			path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
			if kept, err = os.ReadFile(filepath.Join(t.log, path)); err != nil {
				return nil, err
			}
		}
		data[i] = kept
	}
	return data, nil
}

func proveTlog(directory, vkey string, count int) (time.Duration, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return 0, err
	}
	data, err := os.ReadFile(filepath.Join(directory, "checkpoint"))
	if err != nil {
		return 0, err
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return 0, err
	}
	lines := strings.Split(opened.Text, "\n")
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return 0, err
	}
	root, err := tlog.ParseHash(lines[2])
	if err != nil {
		return 0, err
	}
	reader := tlog.TileHashReader(tlog.Tree{N: size, Hash: root}, &tiles{directory, map[tlog.Tile][]byte{}})
	started := time.Now()
	for number := range count {
		if _, err := tlog.ProveRecord(size, int64(indexOf(number, uint64(size))), reader); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}

func verify(policyFile, directory string, count int) (time.Duration, error) {
	data, err := os.ReadFile(policyFile)
	if err != nil {
		return 0, err
	}
	policy, err := torchwood.ParsePolicy(data)
	if err != nil {
		return 0, err
	}
	data, err = os.ReadFile(filepath.Join(directory, "leaves"))
	if err != nil {
		return 0, err
	}
	var hashes []tlog.Hash
	var proofs [][]byte
	for number, line := range strings.Fields(string(data)) {
		hash, err := tlog.ParseHash(line)
		if err != nil {
			return 0, err
		}
		proof, err := os.ReadFile(filepath.Join(directory, strconv.Itoa(number)))
		if err != nil {
			return 0, err
		}
		hashes, proofs = append(hashes, hash), append(proofs, proof)
	}
	started := time.Now()
	for number := range count {
		which := number % len(proofs)
		if err := torchwood.VerifyProof(policy, hashes[which], proofs[which]); err != nil {
			return 0, err
		}
	}
	return time.Since(started), nil
}
