package promwire

import "testing"

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
