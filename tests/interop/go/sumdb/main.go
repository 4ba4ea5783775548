// Sumdb reads and checks a log with the packages of the Go checksum database (golang.org/x/mod/sumdb/note and tlog).
//
//	sumdb check LOG VKEY      everything in a log directory: signatures, every entry's inclusion, consistency
//	sumdb sign KEYFILE TEXT   the signed note, on standard output
//	sumdb generate NAME       a new key, private and public, a line each
//	sumdb write LOG KEYFILE N a checksum database of N records, as the one that Go asks: latest, tile/8, lookup
//
// Exit code 1 means that the libraries refused what was read, 3 that something else went wrong.
package main

import (
	"bytes"
	"context"
	"crypto/rand"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strconv"
	"strings"

	"example.com/tiletree/interop/refusal"
	"golang.org/x/mod/sumdb"
	"golang.org/x/mod/sumdb/note"
	"golang.org/x/mod/sumdb/tlog"
)

const (
	height = 8           // of a tile
	width  = 1 << height // of a full tile or bundle
	chunk  = 1 << 12     // stored hashes read at a time
)

func main() {
	var err error
	switch arguments := os.Args[1:]; {
	case len(arguments) == 3 && arguments[0] == "check":
		err = check(arguments[1], arguments[2])
	case len(arguments) == 3 && arguments[0] == "sign":
		err = sign(arguments[1], arguments[2])
	case len(arguments) == 2 && arguments[0] == "generate":
		err = generate(arguments[1])
	case len(arguments) == 4 && arguments[0] == "write":
		err = writeDatabase(arguments[1], arguments[2], arguments[3])
	default:
		err = errors.New("usage: sumdb check LOG VKEY | sign KEYFILE TEXT | generate NAME | write LOG KEYFILE N")
	}
	refusal.Exit(err)
}

func check(log, vkey string) error {
	data, err := os.ReadFile(filepath.Join(log, "checkpoint"))
	if err != nil {
		return err
	}
	tree, err := open(data, vkey)
	if err != nil {
		return err
	}
	hashes, err := readHashes(tree, tiles{log})
	if err != nil {
		return err
	}
	if err := checkEntries(log, tree, hashes); err != nil {
		return err
	}
	older, err := checkHistory(log, vkey, tree, hashes)
	if err != nil {
		return err
	}
	return json.NewEncoder(os.Stdout).Encode(map[string]int64{"size": tree.N, "older": older})
}

// open returns the tree in a checkpoint, its signature verified.
func open(data []byte, vkey string) (tlog.Tree, error) {
	verifier, err := note.NewVerifier(vkey)
	if err != nil {
		return tlog.Tree{}, refusal.By("verifier key", err)
	}
	opened, err := note.Open(data, note.VerifierList(verifier))
	if err != nil {
		return tlog.Tree{}, refusal.By("note", err)
	}
	lines := strings.Split(opened.Text, "\n")
	if len(lines) != 4 || lines[0] != verifier.Name() {
		return tlog.Tree{}, refusal.By("checkpoint", errors.New("not three lines, of which the first is the origin"))
	}
	size, err := strconv.ParseInt(lines[1], 10, 64)
	if err != nil {
		return tlog.Tree{}, refusal.By("checkpoint", err)
	}
	root, err := tlog.ParseHash(lines[2])
	return tlog.Tree{N: size, Hash: root}, refusal.By("checkpoint", err)
}

// tiles reads the tiles in a directory by the paths of tlog-tiles: tile/8/0/000 is tile/0/000 there.
type tiles struct{ log string }

func (t tiles) Height() int                     { return height }
func (t tiles) SaveTiles([]tlog.Tile, [][]byte) {}
func (t tiles) ReadTiles(wanted []tlog.Tile) ([][]byte, error) {
	data := make([][]byte, len(wanted))
	for i, tile := range wanted {
		var err error
		if data[i], err = t.read(tile); err != nil {
			return nil, err
		}
	}
	return data, nil
}

func (t tiles) read(tile tlog.Tile) ([]byte, error) {
	data, err := os.ReadFile(t.path(tile))
	if errors.Is(err, fs.ErrNotExist) && tile.W < width { // the partial tile may be gone once the full one is there
		partial := tile.W
		tile.W = width
		if data, err = os.ReadFile(t.path(tile)); err == nil && tile.L >= 0 {
			data = data[:partial*tlog.HashSize]
		}
	}
	return data, err
}

func (t tiles) path(tile tlog.Tile) string {
	path := strings.Replace(tile.Path(), "tile/8/", "tile/", 1)
	return filepath.Join(t.log, strings.Replace(path, "tile/data/", "tile/entries/", 1))
}

// readHashes returns all hashes of a tree, each authenticated by tlog, in the order of their stored indexes.
func readHashes(tree tlog.Tree, t tiles) ([]tlog.Hash, error) {
	reader := tlog.TileHashReader(tree, t)
	count := tlog.StoredHashCount(tree.N)
	hashes := make([]tlog.Hash, 0, count)
	for start := int64(0); start < count; start += chunk {
		var indexes []int64
		for index := start; index < min(start+chunk, count); index++ {
			indexes = append(indexes, index)
		}
		read, err := reader.ReadHashes(indexes)
		if err != nil {
			return nil, refusal.By("tiles", err)
		}
		hashes = append(hashes, read...)
	}
	root, err := tlog.TreeHash(tree.N, inMemory(hashes))
	if err == nil && root != tree.Hash {
		err = fmt.Errorf("the tiles' root is %v, the checkpoint's is %v", root, tree.Hash)
	}
	return hashes, refusal.By("root", err)
}

func inMemory(hashes []tlog.Hash) tlog.HashReader {
	return tlog.HashReaderFunc(func(indexes []int64) ([]tlog.Hash, error) {
		found := make([]tlog.Hash, len(indexes))
		for i, index := range indexes {
			found[i] = hashes[index]
		}
		return found, nil
	})
}

// checkEntries builds and checks the inclusion proof of each entry.
func checkEntries(log string, tree tlog.Tree, hashes []tlog.Hash) error {
	reader := inMemory(hashes)
	for first := int64(0); first < tree.N; first += width {
		bundle := tlog.Tile{H: height, L: -1, N: first / width, W: int(min(tree.N-first, width))}
		data, err := tiles{log}.read(bundle)
		if err != nil {
			return err
		}
		entries, err := split(data, bundle.W)
		if err != nil {
			return refusal.By(bundle.Path(), err)
		}
		for i, entry := range entries {
			index := first + int64(i)
			proof, err := tlog.ProveRecord(tree.N, index, reader)
			if err == nil {
				err = tlog.CheckRecord(proof, tree.N, tree.Hash, index, tlog.RecordHash(entry))
			}
			if err != nil {
				return refusal.By(fmt.Sprintf("entry %d", index), err)
			}
		}
	}
	return nil
}

// split returns the first entries of a bundle.
func split(data []byte, count int) ([][]byte, error) {
	var entries [][]byte
	for range count {
		if len(data) < 2 || len(data) < 2+int(binary.BigEndian.Uint16(data)) {
			return nil, errors.New("the bundle ends within an entry")
		}
		end := 2 + int(binary.BigEndian.Uint16(data))
		entries = append(entries, data[2:end])
		data = data[end:]
	}
	return entries, nil
}

// checkHistory proves that each checkpoint that is kept extends each smaller one, and returns how many are kept.
func checkHistory(log, vkey string, newest tlog.Tree, hashes []tlog.Hash) (int64, error) {
	trees := []tlog.Tree{newest}
	err := filepath.WalkDir(filepath.Join(log, "checkpoints"), func(path string, entry fs.DirEntry, err error) error {
		if entry != nil && entry.Name() == "days" {
			return fs.SkipDir // the same checkpoints by date
		}
		if err != nil || entry.IsDir() {
			return err
		}
		data, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		tree, err := open(data, vkey)
		trees = append(trees, tree)
		return err
	})
	if err != nil {
		return 0, err
	}
	for _, old := range trees {
		for _, tree := range trees {
			if old.N < 1 || old.N > tree.N {
				continue // nothing is proven about the empty tree
			}
			proof, err := tlog.ProveTree(tree.N, old.N, inMemory(hashes))
			if err == nil {
				err = tlog.CheckTree(proof, tree.N, tree.Hash, old.N, old.Hash)
			}
			if err != nil {
				return 0, refusal.By(fmt.Sprintf("consistency of sizes %d and %d", old.N, tree.N), err)
			}
		}
	}
	return int64(len(trees) - 1), nil
}

func sign(keyFile, textFile string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	text, err := os.ReadFile(textFile)
	if err != nil {
		return err
	}
	signer, err := note.NewSigner(string(bytes.TrimSuffix(key, []byte("\n"))))
	if err != nil {
		return refusal.By("signing key", err)
	}
	signed, err := note.Sign(&note.Note{Text: string(text)}, signer)
	if err != nil {
		return refusal.By("text", err)
	}
	_, err = os.Stdout.Write(signed)
	return err
}

func generate(name string) error {
	skey, vkey, err := note.GenerateKey(rand.Reader, name)
	fmt.Printf("%s\n%s\n", skey, vkey)
	return err
}

// writeDatabase writes what sumdb.NewServer answers, for a database of sumdb.NewTestServer, into files.
func writeDatabase(log, keyFile, count string) error {
	key, err := os.ReadFile(keyFile)
	if err != nil {
		return err
	}
	size, err := strconv.ParseInt(count, 10, 64)
	if err != nil {
		return err
	}
	ops := sumdb.NewTestServer(string(bytes.TrimSuffix(key, []byte("\n"))), func(path, vers string) ([]byte, error) {
		return []byte(fmt.Sprintf("%s %s h1:%s=\n%s %s/go.mod h1:%s=\n", path, vers, path, path, vers, vers)), nil
	})
	server := sumdb.NewServer(ops)
	get := func(path string) error {
		answer := httptest.NewRecorder()
		server.ServeHTTP(answer, httptest.NewRequest("GET", "/"+path, nil))
		if answer.Code != 200 {
			return fmt.Errorf("%s: %d %s", path, answer.Code, answer.Body)
		}
		target := filepath.Join(log, filepath.FromSlash(path))
		if err := os.MkdirAll(filepath.Dir(target), 0o777); err != nil {
			return err
		}
		return os.WriteFile(target, answer.Body.Bytes(), 0o666)
	}
	for i := range size { // a lookup adds the record
		if err := get(fmt.Sprintf("lookup/example.com/!m%d@v1.0.0", i)); err != nil {
			return err
		}
	}
	if _, err := ops.Signed(context.Background()); err != nil {
		return err
	}
	paths := []string{"latest"}
	for _, tile := range tlog.NewTiles(height, 0, size) {
		paths = append(paths, tile.Path())
		if tile.L == 0 {
			tile.L = -1
			paths = append(paths, tile.Path())
		}
	}
	for _, path := range paths {
		if err := get(path); err != nil {
			return err
		}
	}
	return nil
}
