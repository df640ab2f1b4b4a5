package promwire

import (
	"bytes"
	"math"
	"strconv"
	"strings"
	"testing"
)

// Whatever decodes can be printed: whole lines, at most three per series and one per family of the metadata.
func FuzzRequestAppendText(f *testing.F) {
	h := Histogram{
		Count: 3, Sum: 2, ZeroCount: 1, PositiveSpans: []BucketSpan{{-3, 2}}, PositiveDeltas: []int64{1, 0},
		CustomValues: []float64{1, 2},
	}
	req := WriteRequest{Timeseries: []TimeSeries{
		{Labels: LabelsFromStrings(MetricName, "a\nb", "le", "1.0", "quantile", "x"), Samples: []Sample{{1, 0, 2}}},
		{Labels: LabelsFromStrings("a.b", "\xff"), Histograms: []Histogram{h}, Exemplars: []Exemplar{{}}, Metadata: Metadata{Type: 3}},
	}}
	for _, t := range []MessageType{WriteV1, WriteV2} {
		msg, err := req.AppendProto(nil, t)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(msg, t == WriteV2)
	}
	f.Fuzz(func(t *testing.T, msg []byte, v2 bool) {
		mt := WriteV1
		if v2 {
			mt = WriteV2
		}
		var req WriteRequest
		if req.UnmarshalProto(msg, mt) != nil {
			return
		}
		for _, o := range []TextOptions{{}, {Timestamps: true}} {
			out := req.AppendText(nil, o)
			lines := bytes.Count(out, []byte("\n"))
			if lines < len(req.Timeseries) || lines > 3*len(req.Timeseries)+len(req.Metadata) {
				t.Errorf("%d lines for %d series, %d metadata:\n%s", lines, len(req.Timeseries), len(req.Metadata), out)
			}
			if len(out) > 0 && out[len(out)-1] != '\n' {
				t.Errorf("no line end at the end: %q", out)
			}
		}
	})
}

// A sample's line leads back to its labels, time and value.
func FuzzSampleTextRoundTrip(f *testing.F) {
	f.Add("up", "job", "a", 1.0, int64(1000))
	f.Add("my.metric", "a.b", "x\"\\\ny", math.Inf(-1), int64(-1))
	f.Add("h_bucket", "le", "1.0", 1e21, int64(0))
	f.Add("", "} 1\n", "{,=", 1e-5, int64(math.MaxInt64))
	f.Fuzz(func(t *testing.T, name, label, value string, v float64, at int64) {
		if label == MetricName || label == "" {
			return
		}
		want, err := NewLabels(Label{MetricName, name}, Label{label, value})
		if err != nil {
			return
		}
		req := WriteRequest{Timeseries: []TimeSeries{{
			Labels: want, Samples: []Sample{{Timestamp: at, Value: v}}, Metadata: Metadata{Type: TypeGauge},
		}}}
		line := string(req.AppendText(nil, TextOptions{Timestamps: true}))
		_, line, found := strings.Cut(line, " gauge\n")
		if !found {
			t.Fatalf("no TYPE line in %q", line)
		}
		got, rest, ok := parseLabelText(line)
		if !ok {
			t.Fatalf("can't parse %q", line)
		}
		fields := strings.Fields(rest)
		if len(fields) != 2 || fields[1] != strconv.FormatInt(at, 10) {
			t.Fatalf("got %q after the labels, want value and %d", rest, at)
		}
		if isBound(label) {
			want = LabelsFromStrings(MetricName, name, label, shortBound(value))
		}
		if !got.Equal(want) {
			t.Errorf("labels: got %q, want %q from %q", got, want, line)
		}
		if IsStaleNaN(v) {
			return
		}
		if x, err := strconv.ParseFloat(fields[0], 64); err != nil || math.Float64bits(x) != math.Float64bits(v) && !(x != x && v != v) {
			t.Errorf("value: got %q, want %v", fields[0], v)
		}
	})
}

// parseLabelText reads the text form of labels and returns what follows, after a blank.
func parseLabelText(s string) (Labels, string, bool) {
	var ls Labels
	if i := strings.IndexAny(s, "{ "); i > 0 {
		ls, s = append(ls, Label{MetricName, s[:i]}), s[i:]
	}
	if rest, plain := strings.CutPrefix(s, " "); plain {
		return ls, rest, true
	}
	for s != "" && s[0] != '}' {
		s = s[1:] // { or ,
		if s != "" && s[0] == '}' {
			break
		}
		name, rest, ok := parseToken(s)
		if !ok {
			return nil, "", false
		}
		l := Label{MetricName, name}
		if value, isPair := strings.CutPrefix(rest, "="); isPair {
			l.Name = name
			if l.Value, rest, ok = parseToken(value); !ok {
				return nil, "", false
			}
		}
		ls, s = append(ls, l), rest
	}
	rest, ok := strings.CutPrefix(s, "} ")
	return ls.Normalize(), rest, ok
}

// parseToken reads a quoted string or a bare name.
func parseToken(s string) (token, rest string, ok bool) {
	if !strings.HasPrefix(s, `"`) {
		i := strings.IndexAny(s, "=,}")
		return s[:max(i, 0)], s[max(i, 0):], i > 0
	}
	end := 1
	for end < len(s) && s[end] != '"' {
		if s[end] == '\\' {
			end++
		}
		end++
	}
	if end >= len(s) {
		return "", "", false
	}
	return strings.NewReplacer(`\\`, `\`, `\"`, `"`, `\n`, "\n").Replace(s[1:end]), s[end+1:], true
}
