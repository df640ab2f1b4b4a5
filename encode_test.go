package promwire_test

import (
	"bytes"
	"errors"
	"slices"
	"strings"
	"sync"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/workload"
)

func TestAppendProto(t *testing.T) {
	for _, tt := range encodeCases() {
		t.Run(tt.name, func(t *testing.T) {
			want := append([]byte("before"), unhex(t, tt.hex)...)
			got, err := tt.req.AppendProto([]byte("before"), tt.kind)
			if err != nil || !bytes.Equal(got, want) {
				t.Fatalf("got %x, %v\nwant %x", got, err, want)
			}
		})
	}
}

// TestAppendProtoAfterLarger encodes with pooled memory that held a larger request before.
func TestAppendProtoAfterLarger(t *testing.T) {
	large := workload.Batch()
	for _, tt := range encodeCases() {
		if _, err := large.AppendProto(nil, tt.kind); err != nil {
			t.Fatal(err)
		}
		got, err := tt.req.AppendProto(nil, tt.kind)
		if want := unhex(t, tt.hex); err != nil || !bytes.Equal(got, want) {
			t.Errorf("%s: got %x, %v\nwant %x", tt.name, got, err, want)
		}
	}
}

func TestAppendProtoConcurrently(t *testing.T) {
	var wg sync.WaitGroup
	large := workload.Histograms()
	for range 8 {
		wg.Go(func() {
			for range 10 {
				for _, tt := range encodeCases() {
					got, err := tt.req.AppendProto(nil, tt.kind)
					if err != nil || !bytes.Equal(got, unhex(t, tt.hex)) {
						t.Errorf("%s: got %x, %v", tt.name, got, err)
					}
				}
				if _, err := large.AppendProto(nil, v2); err != nil {
					t.Error(err)
				}
			}
		})
	}
	wg.Wait()
}

func TestAppendProtoErrors(t *testing.T) {
	// What these would take is shared memory here.
	label := promwire.Label{Name: "n", Value: strings.Repeat("x", 1<<20)}
	histogram := promwire.Histogram{PositiveDeltas: make([]int64, 1<<20)}
	labels := oneSeries(promwire.TimeSeries{Labels: slices.Repeat(promwire.Labels{label}, 2048)})
	histograms := oneSeries(promwire.TimeSeries{Histograms: slices.Repeat([]promwire.Histogram{histogram}, 2048)})
	tests := []struct {
		name string
		req  promwire.WriteRequest
		kind promwire.MessageType
		want error
		text string
	}{
		{"unknown message", promwire.WriteRequest{}, "x", promwire.ErrUnsupported, `message "x"`},
		{
			"2.0 with metadata of families",
			promwire.WriteRequest{Metadata: make([]promwire.MetricMetadata, 3)},
			v2,
			promwire.ErrUnsupported, "got 3 entries",
		},
		{"1.0 beyond 2 GiB", labels, v1, promwire.ErrTooLarge, "2147483647"},
		{"2.0 beyond 2 GiB", histograms, v2, promwire.ErrTooLarge, "2147483647"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			got, err := tt.req.AppendProto([]byte("before"), tt.kind)
			if !errors.Is(err, tt.want) || !strings.Contains(err.Error(), tt.text) {
				t.Errorf("error %v, want %v with %q", err, tt.want, tt.text)
			}
			if string(got) != "before" {
				t.Errorf("dst is %d bytes %.20q", len(got), got)
			}
		})
	}
}

func TestTimeSeriesAppendProto(t *testing.T) {
	ts := counterWithExemplar()
	ts.Metadata = promwire.Metadata{Type: promwire.TypeCounter, Help: "help"}
	want := unhex(t, `0102 0a130a085f5f6e616d655f5f1207635f746f74616c120c09000000000000004010e807
		1a1b0a0d0a0874726163655f696412017411000000000000e03f18e707`)
	if got := ts.AppendProto([]byte{1, 2}); !bytes.Equal(got, want) {
		t.Errorf("got %x, want %x", got, want)
	}
}

// TestSeriesMetadataV1 looks at the family metadata behind the series.
func TestSeriesMetadataV1(t *testing.T) {
	series := func(name string, m promwire.Metadata) promwire.TimeSeries {
		return promwire.TimeSeries{Labels: named(name), Metadata: m}
	}
	hist := promwire.Metadata{Type: promwire.TypeHistogram, Help: "h"}
	other := promwire.Metadata{Type: promwire.TypeHistogram, Help: "i"}
	req := promwire.WriteRequest{
		Timeseries: []promwire.TimeSeries{
			series("a_bucket", hist), series("a_sum", hist), series("a_count", promwire.Metadata{}), series("a_count", hist),
			series("b", hist), series("b_sum", other),
			{Labels: promwire.LabelsFromStrings("job", "x"), Metadata: hist},
		},
		Metadata: []promwire.MetricMetadata{{Metadata: hist, Family: "b"}},
	}
	got, err := req.AppendProto(nil, v1)
	if err != nil {
		t.Fatal(err)
	}
	want := unhex(t, "1a08 0803 120161 220168 1a08 0803 120162 220168 1a08 0803 120162 220169 1a08 0803 120162 220168")
	if at := bytes.IndexByte(got, 0x1a); at < 0 || !bytes.Equal(got[at:], want) {
		t.Errorf("got %x, want to end in %x", got, want)
	}
}

func TestFamilyName(t *testing.T) {
	tests := []struct {
		name string
		kind promwire.MetricType
		want string
	}{
		{"x_bucket", promwire.TypeHistogram, "x"},
		{"x_sum", promwire.TypeHistogram, "x"},
		{"x_count", promwire.TypeHistogram, "x"},
		{"x", promwire.TypeHistogram, "x"},
		{"x_count_sum", promwire.TypeHistogram, "x_count"},
		{"_count", promwire.TypeHistogram, "_count"},
		{"x_gsum", promwire.TypeHistogram, "x_gsum"},
		{"x_sum", promwire.TypeSummary, "x"},
		{"x_count", promwire.TypeSummary, "x"},
		{"x_bucket", promwire.TypeSummary, "x_bucket"},
		{"x_gsum", promwire.TypeGaugeHistogram, "x"},
		{"x_gcount", promwire.TypeGaugeHistogram, "x"},
		{"x_bucket", promwire.TypeGaugeHistogram, "x"},
		{"x_count", promwire.TypeGaugeHistogram, "x_count"},
		{"x_total", promwire.TypeCounter, "x_total"},
		{"x_count", promwire.TypeGauge, "x_count"},
		{"x_sum", promwire.TypeUnknown, "x_sum"},
		{"", promwire.TypeSummary, ""},
	}
	for _, tt := range tests {
		if got := promwire.FamilyName(tt.name, tt.kind); got != tt.want {
			t.Errorf("FamilyName(%q, %d) = %q, want %q", tt.name, tt.kind, got, tt.want)
		}
	}
}

func TestAppendProtoAllocates(t *testing.T) {
	if raceEnabled {
		return // the race detector empties pools at random
	}
	for _, set := range workload.Sets() {
		for _, kind := range []promwire.MessageType{v1, v2} {
			req, buf := set.Make(), []byte(nil)
			n := testing.AllocsPerRun(5, func() {
				buf, _ = req.AppendProto(buf[:0], kind)
			})
			if n != 0 {
				t.Errorf("%s, %s: %v allocations per request", set.Name, kind, n)
			}
		}
	}
}

// TestAppendProtoGrowsOnce encodes into no memory at all: once for the likely size, at most once for the last series.
func TestAppendProtoGrowsOnce(t *testing.T) {
	if raceEnabled {
		return // the race detector empties pools at random
	}
	for _, set := range workload.Sets() {
		for _, kind := range []promwire.MessageType{v1, v2} {
			req, buf := set.Make(), []byte(nil)
			n := testing.AllocsPerRun(3, func() {
				buf, _ = req.AppendProto(nil, kind)
			})
			if n > 2 || cap(buf) > 2*len(buf)+2048 {
				t.Errorf("%s, %s: %v allocations, %d bytes of capacity for %d", set.Name, kind, n, cap(buf), len(buf))
			}
		}
	}
}
