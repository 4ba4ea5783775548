package main

import (
	"bufio"
	"errors"
	"io"
	"net/http"
	"strconv"
	"strings"
)

// body returns what was sent, without the frames of aws-chunked. Their signatures and checksums are not looked at.
func body(r *http.Request) ([]byte, error) {
	if r.Header.Get("X-Amz-Decoded-Content-Length") == "" {
		return readAll(r.Body, int(r.ContentLength))
	}
	length, err := strconv.Atoi(r.Header.Get("X-Amz-Decoded-Content-Length"))
	if err != nil {
		return nil, err
	}
	framed := bufio.NewReaderSize(r.Body, 1<<16)
	data := make([]byte, 0, length)
	for {
		line, err := framed.ReadString('\n')
		if err != nil {
			return nil, err
		}
		digits, _, _ := strings.Cut(strings.TrimSpace(line), ";")
		size, err := strconv.ParseUint(digits, 16, 31)
		if err != nil {
			return nil, err
		}
		if size == 0 {
			_, err = io.Copy(io.Discard, framed)
			if err == nil && len(data) != length {
				err = errors.New("another length than was announced")
			}
			return data, err
		}
		start := len(data)
		data = append(data, make([]byte, size)...)
		if _, err := io.ReadFull(framed, data[start:]); err != nil {
			return nil, err
		}
		if _, err := framed.Discard(2); err != nil {
			return nil, err
		}
	}
}

func readAll(from io.Reader, length int) ([]byte, error) {
	if length < 0 {
		return io.ReadAll(from)
	}
	data := make([]byte, length)
	_, err := io.ReadFull(from, data)
	return data, err
}
