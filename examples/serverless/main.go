// Command serverless answers calls and pushes in each of them, for a platform that freezes it in between.
package main

import (
	"context"
	"fmt"
	"log"
	"net/http"
	"os"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/metrics"
	"github.com/promwire/promwire/remote"
)

func main() {
	client, err := remote.NewWriteClient(os.Getenv("REMOTE_WRITE_URL"))
	if err != nil {
		log.Fatal(err)
	}
	log.Fatal(http.ListenAndServe(":"+os.Getenv("PORT"), handler(client)))
}

func handler(w promwire.Writer) http.HandlerFunc {
	reg := metrics.NewRegistry(metrics.WithRunLabel("instance")) // instances run in parallel
	calls, pusher := metrics.Must(reg.Counter("calls")), metrics.NewPusher(reg, w)
	return func(rw http.ResponseWriter, r *http.Request) {
		calls.Inc()
		fmt.Fprintln(rw, "hello")
		ctx, cancel := context.WithTimeout(r.Context(), 300*time.Millisecond)
		defer cancel()
		if err := pusher.Push(ctx); err != nil {
			log.Print(err) // nothing is lost: the push of the next call carries it
		}
	}
}
