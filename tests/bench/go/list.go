package main

import (
	"encoding/xml"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
)

const pageSize = 1000

type listed struct {
	Key          string
	LastModified string
	ETag         string
	Size         int
}

type commonPrefix struct{ Prefix string }

type page struct {
	XMLName               xml.Name `xml:"ListBucketResult"`
	Prefix                string
	KeyCount              int
	IsTruncated           bool
	NextContinuationToken string `xml:",omitempty"`
	Contents              []listed
	CommonPrefixes        []commonPrefix
}

func (s *shelf) list(w http.ResponseWriter, query url.Values, bucket string) {
	prefix, delimiter := query.Get("prefix"), query.Get("delimiter")
	after := max(query.Get("start-after"), query.Get("continuation-token"))
	limit, err := strconv.Atoi(query.Get("max-keys"))
	if err != nil || limit > pageSize {
		limit = pageSize
	}
	s.lock.Lock()
	defer s.lock.Unlock()
	var keys []string
	for name := range s.objects {
		key, here := strings.CutPrefix(name, bucket)
		if here && strings.HasPrefix(key, prefix) && key > after {
			keys = append(keys, key)
		}
	}
	slices.Sort(keys)
	answer := page{Prefix: prefix}
	last := ""
	for _, key := range keys {
		if head, ok := folder(key, prefix, delimiter); ok {
			if head == last || head <= after {
				continue
			}
			last = head
			key = head
		}
		if answer.KeyCount == limit {
			answer.IsTruncated = true
			break
		}
		answer.KeyCount++
		answer.NextContinuationToken = key
		if key == last {
			answer.CommonPrefixes = append(answer.CommonPrefixes, commonPrefix{key})
			continue
		}
		found := s.objects[bucket+key]
		written := found.written.Format("2006-01-02T15:04:05.000Z")
		answer.Contents = append(answer.Contents, listed{key, written, found.etag, len(found.data)})
	}
	if !answer.IsTruncated {
		answer.NextContinuationToken = ""
	}
	send(w, http.StatusOK, answer)
}

// folder returns the common prefix that a key is listed as, if it is.
func folder(key, prefix, delimiter string) (string, bool) {
	if delimiter == "" {
		return "", false
	}
	head, _, found := strings.Cut(key[len(prefix):], delimiter)
	return prefix + head + delimiter, found
}

func (s *shelf) deleteMany(w http.ResponseWriter, r *http.Request, bucket string) {
	var asked struct {
		Object []struct{ Key string }
	}
	data, err := body(r)
	if err != nil || xml.Unmarshal(data, &asked) != nil || len(asked.Object) == 0 || len(asked.Object) > pageSize {
		refuse(w, http.StatusBadRequest, "MalformedXML", "")
		return
	}
	var answer struct {
		XMLName xml.Name `xml:"DeleteResult"`
		Deleted []struct{ Key string }
	}
	s.lock.Lock()
	for _, each := range asked.Object {
		delete(s.objects, bucket+each.Key)
		answer.Deleted = append(answer.Deleted, struct{ Key string }{each.Key})
	}
	s.lock.Unlock()
	send(w, http.StatusOK, answer)
}
