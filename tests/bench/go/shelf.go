package main

import (
	"encoding/json"
	"encoding/xml"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"sync"
	"time"
)

type object struct {
	data    []byte
	etag    string
	written time.Time
	headers map[string]string
}

type counts struct {
	Requests map[string]int `json:"requests"` // by method
	Refused  int            `json:"refused"`  // conditions that did not hold
	Received int            `json:"received"` // bytes of objects
	Sent     int            `json:"sent"`
	Objects  int            `json:"objects"` // that are there now
}

// shelf holds the objects of all buckets, by bucket and key.
type shelf struct {
	lock    sync.Mutex
	objects map[string]*object
	writes  int
	counts  counts
}

func newShelf() *shelf {
	s := &shelf{}
	s.forget()
	return s
}

func (s *shelf) forget() {
	s.objects = map[string]*object{}
	s.counts = counts{Requests: map[string]int{}}
}

func (s *shelf) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	if r.URL.Path == "/_control" {
		s.control(w, r)
		return
	}
	if r.Header.Get("Authorization") == "" {
		refuse(w, http.StatusForbidden, "AccessDenied", "")
		return
	}
	bucket, key, _ := strings.Cut(strings.TrimPrefix(r.URL.Path, "/"), "/")
	bucket += "/"
	s.lock.Lock()
	s.counts.Requests[r.Method]++
	s.lock.Unlock()
	query := r.URL.Query()
	switch {
	case key == "" && r.Method == http.MethodPost && query.Has("delete"):
		s.deleteMany(w, r, bucket)
	case key == "" && r.Method == http.MethodGet:
		s.list(w, query, bucket)
	case key == "":
		w.WriteHeader(http.StatusOK)
	case r.Method == http.MethodPut:
		s.put(w, r, bucket+key)
	case r.Method == http.MethodGet || r.Method == http.MethodHead:
		s.get(w, r, bucket+key)
	case r.Method == http.MethodDelete:
		s.lock.Lock()
		delete(s.objects, bucket+key)
		s.lock.Unlock()
		w.WriteHeader(http.StatusNoContent)
	default:
		refuse(w, http.StatusNotImplemented, "NotImplemented", "")
	}
}

func (s *shelf) control(w http.ResponseWriter, r *http.Request) {
	s.lock.Lock()
	defer s.lock.Unlock()
	if r.Method == http.MethodPost {
		s.forget()
	}
	s.counts.Objects = len(s.objects)
	_ = json.NewEncoder(w).Encode(s.counts)
}

func (s *shelf) put(w http.ResponseWriter, r *http.Request, key string) {
	data, err := body(r)
	if err != nil {
		refuse(w, http.StatusBadRequest, "IncompleteBody", "")
		return
	}
	made := &object{data: data, written: time.Now().UTC(), headers: map[string]string{}}
	for _, name := range []string{"Content-Type", "Cache-Control", "Content-Encoding"} {
		value := strings.TrimPrefix(r.Header.Get(name), "aws-chunked")
		if value = strings.TrimPrefix(value, ","); value != "" {
			made.headers[name] = value
		}
	}
	status, code, condition := s.shelve(key, made, r.Header)
	if status != http.StatusOK {
		refuse(w, status, code, condition)
		return
	}
	w.Header().Set("ETag", made.etag)
	w.WriteHeader(http.StatusOK)
}

// shelve puts an object in its place if the conditions hold: to look and to write is one step.
func (s *shelf) shelve(key string, made *object, conditions http.Header) (int, string, string) {
	s.lock.Lock()
	defer s.lock.Unlock()
	found := s.objects[key]
	if conditions.Get("If-None-Match") == "*" && found != nil {
		s.counts.Refused++
		return http.StatusPreconditionFailed, "PreconditionFailed", "If-None-Match"
	}
	if expected := conditions.Get("If-Match"); expected != "" {
		if found == nil {
			s.counts.Refused++
			return http.StatusNotFound, "NoSuchKey", ""
		}
		if strings.Trim(expected, `"`) != strings.Trim(found.etag, `"`) {
			s.counts.Refused++
			return http.StatusPreconditionFailed, "PreconditionFailed", "If-Match"
		}
	}
	s.writes++
	made.etag = fmt.Sprintf(`"%032x"`, s.writes)
	s.objects[key] = made
	s.counts.Received += len(made.data)
	return http.StatusOK, "", ""
}

func (s *shelf) get(w http.ResponseWriter, r *http.Request, key string) {
	s.lock.Lock()
	found := s.objects[key]
	s.lock.Unlock()
	if found == nil {
		refuse(w, http.StatusNotFound, "NoSuchKey", "")
		return
	}
	header := w.Header()
	for name, value := range found.headers {
		header.Set(name, value)
	}
	header.Set("ETag", found.etag)
	header.Set("Last-Modified", found.written.Format(http.TimeFormat))
	data, status := found.data, http.StatusOK
	var first, last int
	if count, _ := fmt.Sscanf(r.Header.Get("Range"), "bytes=%d-%d", &first, &last); count == 2 && first < len(data) {
		last = min(last, len(data)-1)
		header.Set("Content-Range", fmt.Sprintf("bytes %d-%d/%d", first, last, len(data)))
		data, status = data[first:last+1], http.StatusPartialContent
	}
	header.Set("Content-Length", strconv.Itoa(len(data)))
	w.WriteHeader(status)
	if r.Method == http.MethodGet {
		_, _ = w.Write(data)
		s.lock.Lock()
		s.counts.Sent += len(data)
		s.lock.Unlock()
	}
}

func refuse(w http.ResponseWriter, status int, code, condition string) {
	send(w, status, struct {
		XMLName   xml.Name `xml:"Error"`
		Code      string
		Message   string
		Condition string `xml:",omitempty"`
	}{Code: code, Message: code, Condition: condition})
}

func send(w http.ResponseWriter, status int, answer any) {
	text, err := xml.Marshal(answer)
	if err != nil {
		panic(err)
	}
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	_, _ = w.Write(append([]byte(xml.Header), text...))
}
