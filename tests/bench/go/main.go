// Command bench is an S3 server in memory, over TLS, that keeps conditions on writes: what `make bench` writes to.
//
// It believes every signature, and has every bucket. It says where it is as a line of JSON, and ends when its standard
// input does. GET /_control counts what was asked for; POST /_control forgets all of it.
package main

import (
	"crypto/tls"
	"encoding/json"
	"flag"
	"io"
	"log"
	"net"
	"net/http"
	"os"
	"time"
)

func main() {
	latency := flag.Duration("latency", 0, "how long every answer takes at least")
	certificate := flag.String("certificate", "", "where to write the certificate that clients are to trust")
	flag.Parse()

	config, err := selfSigned(*certificate)
	if err != nil {
		log.Fatal(err)
	}
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		log.Fatal(err)
	}
	go func() {
		_, _ = io.Copy(io.Discard, os.Stdin)
		os.Exit(0)
	}()
	where := map[string]string{"endpoint": "https://" + listener.Addr().String()}
	if err := json.NewEncoder(os.Stdout).Encode(where); err != nil {
		log.Fatal(err)
	}
	server := &http.Server{
		Handler:   slow(newShelf(), *latency),
		TLSConfig: config,
		// the clients compared all speak HTTP/1.1 to S3
		TLSNextProto: map[string]func(*http.Server, *tls.Conn, http.Handler){},
		ErrorLog:     log.New(io.Discard, "", 0),
	}
	log.Fatal(server.ServeTLS(listener, "", ""))
}

func slow(handler http.Handler, latency time.Duration) http.Handler {
	if latency == 0 {
		return handler
	}
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		time.Sleep(latency)
		handler.ServeHTTP(w, r)
	})
}
