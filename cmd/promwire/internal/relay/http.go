package relay

import (
	"bytes"
	"io"
	"net/http"

	"github.com/promwire/promwire/cmd/promwire/internal/outlets"
	"github.com/promwire/promwire/server"
)

// ServeHTTP receives requests on the usual paths, and shows figures and health. It is ready as long as it serves: whether
// targets can be reached is no matter of it, and a full disk is told to each sender, who has to come again to find out
// that there is room.
func (r *Relay) ServeHTTP(w http.ResponseWriter, req *http.Request) {
	switch req.URL.Path {
	case server.WritePath, server.PushPath, ReceivePath:
		r.write.ServeHTTP(w, req)
	case "/metrics":
		w.Header().Set("Content-Type", "text/plain; version=0.0.4; charset=utf-8")
		var b bytes.Buffer
		r.WriteMetrics(&b)
		_, _ = w.Write(b.Bytes()) // the prober may be gone
	case "/-/healthy":
		_, _ = io.WriteString(w, "promwire relay is healthy\n")
	case "/-/ready":
		_, _ = io.WriteString(w, "promwire relay is ready\n")
	default:
		http.NotFound(w, req)
	}
}

// ReceivePath is the path on which Thanos Receive takes remote write.
const ReceivePath = "/api/v1/receive"

// WriteMetrics writes figures as text 0.0.4.
func (r *Relay) WriteMetrics(w io.Writer) {
	s := r.spool.Stats()
	write := func(name, kind, help string, v int64) { outlets.WriteMetric(w, "promwire_relay_"+name, kind, help, v) }
	write("received_requests_total", "counter", "Requests acknowledged: they are on disk.", r.intake.requests.Load())
	write("received_samples_total", "counter", "Samples and histograms in them.", r.intake.samples.Load())
	write("refused_requests_total", "counter", "Requests that were malformed, too large, or could not be kept.", r.intake.failed.Load())
	outlets.WriteSpool(w, "promwire_relay_", &s)
	r.writeReload(w)
	outlets.WriteText(w, "promwire_relay_", r.outlets.Figures())
}
