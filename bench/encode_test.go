package bench

import (
	"context"
	"io"
	"net/http"
	"testing"

	"github.com/gogo/protobuf/proto"
	expremote "github.com/prometheus/client_golang/exp/api/remote"
	"github.com/prometheus/prometheus/prompb"
	writev2 "github.com/prometheus/prometheus/prompb/io/prometheus/write/v2"
	"github.com/prometheus/prometheus/util/compression"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/internal/xcompress"
)

// encoder returns the operation under measurement: workload in, compressed body out.
type encoder struct {
	impl string
	make func(b testing.TB, req *promwire.WriteRequest, t promwire.MessageType) func() []byte
}

var encoders = []encoder{
	{"promwire", encodePromwire},
	{"promwire-handles", encodeHandles},
	{"prometheus-queue", encodeQueue},
	{"client_golang-exp", encodeExp},
}

func BenchmarkEncode(b *testing.B) {
	for _, v := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		for _, set := range workload.Sets() {
			for _, enc := range encoders {
				b.Run("msg="+short(v)+"/work="+set.Name+"/impl="+enc.impl, func(b *testing.B) {
					op := enc.make(b, set.Make(), v)
					measure(b, func() { op() })
					b.ReportMetric(float64(len(op())), "body-bytes")
				})
			}
		}
	}
}

func short(t promwire.MessageType) string {
	if t == promwire.WriteV2 {
		return "rw2"
	}
	return "rw1"
}

func encodePromwire(tb testing.TB, req *promwire.WriteRequest, t promwire.MessageType) func() []byte {
	var message, body []byte
	return func() []byte {
		var err error
		if message, err = req.AppendProto(message[:0], t); err != nil {
			tb.Fatal(err)
		}
		body = xcompress.AppendSnappy(body[:0], message)
		return body
	}
}

func encodeHandles(tb testing.TB, req *promwire.WriteRequest, t promwire.MessageType) func() []byte {
	enc := promwire.NewEncoder(t)
	handles := prepare(tb, enc, req)
	var body []byte
	op := func() []byte {
		enc.Reset()
		for i := range req.Timeseries {
			ts := &req.Timeseries[i]
			if len(ts.Samples) == 1 && len(ts.Histograms) == 0 {
				enc.AppendSample(handles[i], ts.Samples[0])
				continue
			}
			enc.AppendSeries(handles[i], ts.Samples, ts.Histograms, nil)
		}
		body = enc.AppendSnappy(body[:0])
		return body
	}
	op() // the first request tells the order of the series, the second one is compared
	return op
}

func prepare(tb testing.TB, enc *promwire.Encoder, req *promwire.WriteRequest) []promwire.Handle {
	handles := make([]promwire.Handle, len(req.Timeseries))
	for i, ts := range req.Timeseries {
		h, err := enc.Prepare(ts.Labels, ts.Metadata)
		if err != nil {
			tb.Fatal(err)
		}
		handles[i] = h
	}
	return handles
}

// encodeQueue follows the steps of the Prometheus remote-write queue with its own types and functions.
func encodeQueue(tb testing.TB, req *promwire.WriteRequest, t promwire.MessageType) func() []byte {
	in := toSeries(req)
	buf := compression.NewSyncEncodeBuffer()
	compress := func(message []byte) []byte {
		body, err := compression.Encode(compression.Snappy, message, buf)
		if err != nil {
			tb.Fatal(err)
		}
		return body
	}
	if t == promwire.WriteV2 {
		var pending []writev2.TimeSeries
		var message []byte
		symbols := writev2.NewSymbolTable()
		return func() []byte {
			pending = fillV2(pending, &symbols, in)
			m := &writev2.Request{Symbols: symbols.Symbols(), Timeseries: pending}
			out, err := m.OptimizedMarshal(message)
			if err != nil {
				tb.Fatal(err)
			}
			message = out
			symbols.Reset()
			return compress(message)
		}
	}
	var pending []prompb.TimeSeries
	message := proto.NewBuffer(nil)
	return func() []byte {
		pending = fillV1(pending, in)
		message.Reset()
		if err := message.Marshal(&prompb.WriteRequest{Timeseries: pending}); err != nil {
			tb.Fatal(err)
		}
		return compress(message.Bytes())
	}
}

// encodeExp sends through client_golang's remote API with a transport that answers at once.
func encodeExp(tb testing.TB, req *promwire.WriteRequest, t promwire.MessageType) func() []byte {
	in := toSeries(req)
	transport := &answerAtOnce{}
	api, err := expremote.NewAPI("http://127.0.0.1:1", expremote.WithAPIHTTPClient(&http.Client{Transport: transport}))
	if err != nil {
		tb.Fatal(err)
	}
	var v1 []prompb.TimeSeries
	var v2 []writev2.TimeSeries
	symbols := writev2.NewSymbolTable()
	return func() []byte {
		var err error
		if t == promwire.WriteV2 {
			v2 = fillV2(v2, &symbols, in)
			_, err = api.Write(context.Background(), expremote.WriteV2MessageType,
				&writev2.Request{Symbols: symbols.Symbols(), Timeseries: v2})
			symbols.Reset()
		} else {
			v1 = fillV1(v1, in)
			_, err = api.Write(context.Background(), expremote.WriteV1MessageType, &prompb.WriteRequest{Timeseries: v1})
		}
		if err != nil {
			tb.Fatal(err)
		}
		return transport.body
	}
}

type answerAtOnce struct{ body []byte }

func (a *answerAtOnce) RoundTrip(r *http.Request) (*http.Response, error) {
	a.body = a.body[:0]
	if reader, ok := r.Body.(io.WriterTo); ok {
		if _, err := reader.WriteTo((*sliceWriter)(&a.body)); err != nil {
			return nil, err
		}
	} else if _, err := io.Copy((*sliceWriter)(&a.body), r.Body); err != nil {
		return nil, err
	}
	h := http.Header{}
	for _, name := range []string{promwire.HeaderSamplesWritten, promwire.HeaderHistogramsWritten, promwire.HeaderExemplarsWritten} {
		h.Set(name, "1")
	}
	return &http.Response{StatusCode: http.StatusNoContent, Header: h, Body: http.NoBody, Request: r}, nil
}

type sliceWriter []byte

func (w *sliceWriter) Write(p []byte) (int, error) {
	*w = append(*w, p...)
	return len(p), nil
}
