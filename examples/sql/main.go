// The program is Prometheus remote storage in a SQLite file, which any other program may query meanwhile:
//
//	go run . -file metrics.db
//
// It keeps series, samples, native histograms and exemplars. What is acknowledged is on disk. Metadata are not kept, as
// nobody can ask for them. Nothing is deleted: "DELETE FROM sample WHERE time < ..." does that, while it runs.
//
// storage.go has the schema, write.go and read.go the two methods of a storage, labels.go the form of a label set.
package main

import (
	"flag"
	"log"
	"net/http"
	"time"

	"github.com/promwire/promwire/server"
)

func main() {
	file := flag.String("file", "metrics.db", "database file; made if it is not there")
	listen := flag.String("listen", "127.0.0.1:9201", "address to listen on")
	flag.Parse()
	storage, err := Open(*file)
	if err != nil {
		log.Fatal(err)
	}
	srv := &http.Server{Addr: *listen, Handler: server.NewHandler(storage), ReadHeaderTimeout: 10 * time.Second}
	log.Printf("write to http://%s%s, read from http://%[1]s%s", *listen, server.WritePath, server.ReadPath)
	log.Fatal(srv.ListenAndServe()) // a file that is not closed is as good as one that is: all that counts is committed
}
