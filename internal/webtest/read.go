package webtest

import (
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
	"github.com/promwire/promwire/promwiretest"
	"github.com/promwire/promwire/remote"
	"github.com/promwire/promwire/server"
)

// roundTrip writes with both messages and reads with both types of answers.
func roundTrip(t *testing.T, s Server) {
	for _, message := range []promwire.MessageType{promwire.WriteV1, promwire.WriteV2} {
		for _, req := range []*promwire.WriteRequest{workload.Batch(), workload.Histograms()} {
			memory := promwiretest.NewMemory(promwiretest.RefuseOlder)
			url := s.Start(t, memory)
			writer, err := remote.NewWriteClient(url+server.WritePath, remote.WithMessageType(message), remote.WithoutRetry())
			if err != nil {
				t.Fatal(err)
			}
			stats, err := writer.Write(t.Context(), req)
			if want := req.Stats(); err != nil || stats != want {
				t.Fatalf("%s: %+v, %v, want %+v", message, stats, err, want)
			}
			for _, answer := range []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks} {
				got := readAll(t, url, answer)
				if want := memory.All(); len(got) != len(want) || len(want) == 0 {
					t.Errorf("%s, answer type %d: %d series, want %d", message, answer, len(got), len(want))
				}
			}
		}
	}
}

func readAll(t *testing.T, url string, answer promwire.ResponseType) []promwire.TimeSeries {
	t.Helper()
	reader, err := remote.NewReadClient(url+server.ReadPath, remote.WithResponseTypes(answer))
	if err != nil {
		t.Fatal(err)
	}
	defer reader.CloseIdleConnections()
	var got []promwire.TimeSeries
	for ts, err := range promwire.JoinSeries(reader.Read(t.Context(), everything)) {
		if err != nil {
			t.Fatal(err)
		}
		got = append(got, promwire.TimeSeries{Labels: ts.Labels.Clone(), Samples: slices.Clone(ts.Samples)})
	}
	return got
}

// large sends and answers some megabytes.
func large(t *testing.T, s Server) {
	memory := promwiretest.NewMemory(promwiretest.RefuseOlder)
	url := s.Start(t, memory)
	req := &promwire.WriteRequest{}
	for i := range 400 {
		ts := part(i)
		for k := range ts.Samples {
			ts.Samples[k].Value = float64(uint64(k+i*1000)*0x9e3779b97f4a7c15>>11) / 7 // which doesn't compress
		}
		req.Timeseries = append(req.Timeseries, ts)
	}
	body := writeBody(t, promwire.WriteV2, req)
	if len(body) <= 4<<20 {
		t.Fatalf("body of %d bytes: the check shows nothing", len(body))
	}
	if resp := post(t, url, server.WritePath, promwire.ContentTypeWriteV2, body); resp.StatusCode != http.StatusNoContent {
		t.Fatalf("status %d", resp.StatusCode)
	}
	for _, answer := range []promwire.ResponseType{promwire.ResponseSamples, promwire.ResponseStreamedXORChunks} {
		samples := 0
		for _, ts := range readAll(t, url, answer) {
			samples += len(ts.Samples)
		}
		if samples != 400_000 {
			t.Errorf("answer type %d: %d samples", answer, samples)
		}
	}
	resp := post(t, url, server.ReadPath, promwire.ContentTypeProtobuf, readBody(promwire.ResponseSamples))
	if resp.ContentLength < 1<<20 || resp.Header.Get("Content-Encoding") != "snappy" {
		t.Errorf("Content-Length %d, header %v", resp.ContentLength, resp.Header)
	}
}

// streamFlows has a storage that goes on when the reader has got what came before.
func streamFlows(t *testing.T, s Server) {
	arrived := make(chan struct{})
	tell := sync.OnceFunc(func() { close(arrived) })
	store := &storage{read: func(ctx context.Context, yield func(promwire.TimeSeries, error) bool) {
		if !yieldParts(100, yield) {
			return
		}
		select {
		case <-arrived:
			yield(promwire.TimeSeries{Labels: promwire.LabelsFromStrings("__name__", "z"), Samples: []promwire.Sample{{Timestamp: 1}}}, nil)
		case <-ctx.Done():
			yield(promwire.TimeSeries{}, ctx.Err())
		}
	}}
	url := s.Start(t, store)
	c := dial(t, url)
	body := readBody(promwire.ResponseStreamedXORChunks)
	for range 2 { // the second time, on the same connection, the storage doesn't wait
		c.send(head(server.ReadPath, promwire.ContentTypeProtobuf, len(body)), string(body))
		resp, err := http.ReadResponse(c.reader, nil)
		if err != nil {
			t.Fatal(err)
		}
		if got := resp.Header.Get("Content-Type"); got != promwire.ContentTypeStream || resp.StatusCode != http.StatusOK {
			t.Fatalf("status %d, content type %q", resp.StatusCode, got)
		}
		frames, reader := 0, promwire.NewFrameReader(resp.Body, 0)
		var frame promwire.ChunkedReadResponse
		for err = reader.Next(&frame); err == nil; err = reader.Next(&frame) {
			frames++
			tell()
		}
		if !errors.Is(err, io.EOF) || frames != 101 {
			t.Fatalf("%d frames, %v", frames, err)
		}
		resp.Body.Close()
	}
}

// brokenStream fails after some megabytes: no part may pass for the whole.
func brokenStream(t *testing.T, s Server) {
	for name, fail := range map[string]func(yield func(promwire.TimeSeries, error) bool){
		"error": func(yield func(promwire.TimeSeries, error) bool) {
			yield(promwire.TimeSeries{}, errors.New("disk on fire"))
		},
		"panic": func(func(promwire.TimeSeries, error) bool) { panic("disk on fire") },
	} {
		store := &storage{read: func(_ context.Context, yield func(promwire.TimeSeries, error) bool) {
			if yieldParts(300, yield) {
				fail(yield)
			}
		}}
		url := s.Start(t, store)
		for range 2 {
			resp := post(t, url, server.ReadPath, promwire.ContentTypeProtobuf, readBody(promwire.ResponseStreamedXORChunks))
			if resp.StatusCode != http.StatusOK {
				t.Fatalf("%s: status %d", name, resp.StatusCode)
			}
			if n, err := io.Copy(io.Discard, resp.Body); err == nil || n == 0 {
				t.Errorf("%s: %d bytes pass for a whole answer", name, n)
			}
		}
	}
}
