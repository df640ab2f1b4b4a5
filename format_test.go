package promwire

import (
	"math"
	"testing"
)

func TestLabelsString(t *testing.T) {
	tests := []struct {
		in   Labels
		want string
	}{
		{nil, `{}`},
		{LabelsFromStrings(MetricName, "up"), `up`},
		{LabelsFromStrings(MetricName, "job:up:sum", "job", "a", "A", "b"), `job:up:sum{A="b",job="a"}`},
		{LabelsFromStrings("job", "a"), `{job="a"}`},
		{LabelsFromStrings(MetricName, "my.metric"), `{"my.metric"}`},
		{LabelsFromStrings(MetricName, "my.metric", "a.b", "x", "c", "y"), `{"my.metric","a.b"="x",c="y"}`},
		{LabelsFromStrings(MetricName, "up", "a:b", "x"), `up{"a:b"="x"}`},
		{LabelsFromStrings(MetricName, "up", "a", "\\ \" \n \t é"), `up{a="\\ \" \n ` + "\t" + ` é"}`},
		{LabelsFromStrings(MetricName, `a"b`, "c\nd", "e"), `{"a\"b","c\nd"="e"}`},
		{Labels{{MetricName, "1x"}}, `{"1x"}`},
		{Labels{{MetricName, ""}, {"", "a"}}, `{""="a"}`},
	}
	for _, tt := range tests {
		if got := tt.in.String(); got != tt.want {
			t.Errorf("%#v printed as %s, want %s", tt.in, got, tt.want)
		}
		if got := string(tt.in.AppendText([]byte("head "))); got != "head "+tt.want {
			t.Errorf("appended as %s", got)
		}
	}
	ls, dst := LabelsFromStrings(MetricName, "my.metric", "a.b", "x", "c", "y"), make([]byte, 0, 100)
	if n := testing.AllocsPerRun(20, func() { dst = ls.AppendText(dst[:0]) }); n != 0 {
		t.Errorf("%v allocations, want 0", n)
	}
}

func TestFormatLe(t *testing.T) {
	tests := []struct {
		in   float64
		want string
	}{
		{1, "1.0"}, {0.005, "0.005"}, {100000, "100000.0"}, {1000000, "1e+06"}, {0.00001, "1e-05"}, {math.Inf(1), "+Inf"},
		{0, "0.0"}, {math.Copysign(0, -1), "0.0"}, {-1, "-1.0"}, {2.5, "2.5"}, {0.0001, "0.0001"}, {999999, "999999.0"},
		{1234567, "1.234567e+06"}, {1e21, "1e+21"}, {1e100, "1e+100"}, {math.Inf(-1), "-Inf"}, {math.NaN(), "NaN"},
		{0.30000000000000004, "0.30000000000000004"}, {math.MaxFloat64, "1.7976931348623157e+308"},
	}
	for _, tt := range tests {
		if got := FormatLe(tt.in); got != tt.want {
			t.Errorf("FormatLe(%v) = %s, want %s", tt.in, got, tt.want)
		}
	}
}
