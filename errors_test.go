package promwire

import "testing"

// TestPartialWriteErrorText demands that an answer that is the reason of what it names is there once.
func TestPartialWriteErrorText(t *testing.T) {
	answer := &HTTPError{StatusCode: 400, Body: "bad"}
	refusal := func(err error) []Refusal {
		return []Refusal{{Series: 1, Labels: LabelsFromStrings("a", "b"), Reason: err}}
	}
	const begin = "partial write: 2 samples, 0 histograms, 0 exemplars written, 1 item refused; series 1 {a=\"b\"}: "
	for _, tt := range []struct {
		reason error
		want   string
	}{{answer, "server answered 400: bad"}, {ErrTooOld, ErrTooOld.Error() + ": server answered 400: bad"}} {
		err := &PartialWriteError{Written: WriteStats{Samples: 2}, Refused: refusal(tt.reason), Err: answer}
		if got := err.Error(); got != begin+tt.want {
			t.Errorf("%s\nwant %s", got, begin+tt.want)
		}
	}
}
