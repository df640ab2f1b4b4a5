package exposition_test

import (
	"bytes"
	"encoding/binary"
	"strings"
	"testing"

	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/expfmt"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/exposition"
)

// registry encodes a registry with every kind of metric.
func registry(t testing.TB, format expfmt.Format) []byte {
	t.Helper()
	reg := prometheus.NewRegistry()
	counter := prometheus.NewCounterVec(prometheus.CounterOpts{Name: "c_total", Help: "Counts."}, []string{"z"})
	counter.WithLabelValues("1").(prometheus.ExemplarAdder).AddWithExemplar(3, prometheus.Labels{"trace_id": "t"})
	counter.WithLabelValues("2").Add(4)
	both := prometheus.NewHistogram(prometheus.HistogramOpts{Name: "h", Buckets: []float64{1, 10}, NativeHistogramBucketFactor: 2})
	both.Observe(0.5)
	both.(prometheus.ExemplarObserver).ObserveWithExemplar(7, prometheus.Labels{"trace_id": "u"})
	summary := prometheus.NewSummary(prometheus.SummaryOpts{Name: "s", Objectives: map[float64]float64{0.5: 0.1}})
	summary.Observe(2)
	reg.MustRegister(counter, both, summary)
	families, err := reg.Gather()
	if err != nil {
		t.Fatal(err)
	}
	var b bytes.Buffer
	enc := expfmt.NewEncoder(&b, format, expfmt.WithCreatedLines())
	for _, f := range families {
		if err := enc.Encode(f); err != nil {
			t.Fatal(err)
		}
	}
	if c, ok := enc.(expfmt.Closer); ok {
		if err := c.Close(); err != nil {
			t.Fatal(err)
		}
	}
	return b.Bytes()
}

func TestProtobuf(t *testing.T) {
	body := registry(t, expfmt.NewFormat(expfmt.TypeProtoDelim))
	for _, c := range []struct {
		name string
		opts exposition.Options
		want string
	}{
		{"both", exposition.Options{}, "c_total c_total h/ h_count h_sum h_bucket h_bucket h_bucket s_count s_sum s"},
		{"native only", exposition.Options{OnlyNative: true}, "c_total c_total h/ s_count s_sum s"},
		{"classic only", exposition.Options{NoNative: true}, "c_total c_total h_count h_sum h_bucket h_bucket h_bucket s_count s_sum s"},
	} {
		t.Run(c.name, func(t *testing.T) {
			r := exposition.NewReader(c.opts)
			for range 2 {
				res, err := r.Read(body, exposition.Protobuf)
				if err != nil || res.BadCount > 0 {
					t.Fatal(err, res.Bad)
				}
				var names []string
				for _, p := range res.Points {
					name := p.Series.Labels.Get(promwire.MetricName)
					if p.Histogram != nil {
						name += "/"
						if p.Histogram.Count != 2 || len(p.Histogram.PositiveDeltas) == 0 || len(p.Exemplars) != 1 {
							t.Errorf("%+v, %v", p.Histogram, p.Exemplars)
						}
					}
					if p.Start == 0 || p.Family == nil || p.Family.Type == promwire.TypeUnknown {
						t.Errorf("%s: start %d, family %+v", p.Series.Labels, p.Start, p.Family)
					}
					names = append(names, name)
				}
				if got := strings.Join(names, " "); got != c.want {
					t.Errorf("got %s", got)
				}
			}
		})
	}
}

// A metric that is bad costs itself only.
func TestProtobufBadMetric(t *testing.T) {
	field := func(number int, content string) string {
		return string(binary.AppendUvarint(binary.AppendUvarint(nil, uint64(number<<3|2)), uint64(len(content)))) + content
	}
	counter := func(label string) string {
		return field(4, field(1, field(1, "a")+field(2, label))+field(3, "\x09\x00\x00\x00\x00\x00\x00\xf0\x3f"))
	}
	family := func(name, metrics string) string {
		m := field(1, name) + "\x18\x00" + metrics
		return string(binary.AppendUvarint(nil, uint64(len(m)))) + m
	}
	body := family("a", counter("1")+counter("\xff")+counter("2")) + family("", counter("1")) + family("b", counter("3"))
	r := exposition.NewReader(exposition.Options{})
	for range 2 {
		res, err := r.Read([]byte(body), exposition.Protobuf)
		got := describe(res)
		want := "1: a{a=\"1\"} 1 a counter \"\" \"\"\n1: a{a=\"2\"} 1 a counter \"\" \"\"\n3: b{a=\"3\"} 1 b counter \"\" \"\"\nbad 1: "
		if err != nil || !strings.HasPrefix(got, want) || res.BadCount != 2 {
			t.Errorf("got %s%v", got, err)
		}
	}
	if _, err := r.Read([]byte(body[:len(body)-1]), exposition.Protobuf); err == nil || !strings.Contains(err.Error(), "cut off") {
		t.Errorf("cut off: %v", err)
	}
}
