package promwire_test

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"log"

	"github.com/promwire/promwire"
)

func ExampleParseSelector() {
	matchers, err := promwire.ParseSelector(`http_requests_total{job="api", path=~"/v1/.+"}`)
	if err != nil {
		log.Fatal(err)
	}
	series := promwire.LabelsFromStrings("__name__", "http_requests_total", "job", "api", "path", "/v1/orders")
	fmt.Println(promwire.MatchAll(series, matchers))
	fmt.Println(promwire.FormatSelector(matchers))
	// Output:
	// true
	// http_requests_total{job="api",path=~"/v1/.+"}
}

func ExampleFrameReader() {
	stream := promwire.AppendFrame(nil, &promwire.ChunkedReadResponse{ChunkedSeries: []promwire.ChunkedSeries{{
		Labels: promwire.LabelsFromStrings("__name__", "up", "job", "api"),
		Chunks: []promwire.Chunk{{MinTime: 1000, MaxTime: 3000, Encoding: promwire.ChunkXOR, Data: []byte("...")}},
	}}})
	frames := promwire.NewFrameReader(bytes.NewReader(stream), promwire.MaxFrame)
	var frame promwire.ChunkedReadResponse
	for {
		err := frames.Next(&frame)
		if errors.Is(err, io.EOF) {
			break
		}
		if err != nil {
			log.Fatal(err) // what was read so far is incomplete
		}
		for _, s := range frame.ChunkedSeries {
			fmt.Println(s.Labels, len(s.Chunks), "chunk")
		}
	}
	// Output: up{job="api"} 1 chunk
}

func ExampleRules_Apply() {
	rules := promwire.Rules{Type: promwire.WriteV2}
	series := []promwire.TimeSeries{
		{Labels: promwire.Labels{{Name: "job", Value: "api"}, {Name: "__name__", Value: "up"}}, Samples: make([]promwire.Sample, 1)},
		{Labels: promwire.Labels{{Name: "job", Value: "api"}}, Samples: make([]promwire.Sample, 1)},
	}
	var refused []promwire.Refusal
	for i := range series {
		var keep bool
		if refused, keep = rules.Apply(refused, i, &series[i]); keep {
			fmt.Println("stores", series[i].Labels)
		}
	}
	for _, r := range refused {
		fmt.Println("refuses", r)
	}
	// Output:
	// stores up{job="api"}
	// refuses series 1 {job="api"}: metric name is missing: there is no label __name__
}
