package queryapi

import (
	"context"

	"github.com/prometheus/prometheus/model/labels"
	"github.com/prometheus/prometheus/promql"
	"github.com/prometheus/prometheus/promql/parser"
)

const (
	// pointText and bucketText are about how long a point is as JSON, and a bucket of a native histogram, in bytes.
	pointText, bucketText = 40, 80
	// encoding is how often an answer is in memory while it becomes JSON: the text, the buffer it grows in, and what that was before.
	encoding = 3
)

// weighed is a query whose answer has to fit in memory as text as well: nothing ends the encoding.
type weighed struct {
	promql.Query
	reserved *reserving
}

// Exec implements [promql.Query].
func (w *weighed) Exec(ctx context.Context) *promql.Result {
	result := w.Query.Exec(ctx)
	if result.Err != nil {
		result.Err = timedOut(result.Err)
		return result
	}
	if err := w.reserved.take(ctx, encoding*textSize(result.Value)); err != nil {
		return &promql.Result{Err: err, Warnings: result.Warnings}
	}
	return result
}

// Close implements [promql.Query]; the API calls it when the answer is sent.
func (w *weighed) Close() {
	w.reserved.release()
	w.Query.Close()
}

// textSize is about how long a value is as JSON, in bytes.
func textSize(v parser.Value) (n int64) {
	switch v := v.(type) {
	case promql.Matrix:
		for i := range v {
			n += labelsText(v[i].Metric) + pointText*int64(len(v[i].Floats))
			for _, h := range v[i].Histograms {
				n += pointText + bucketText*int64(len(h.H.PositiveBuckets)+len(h.H.NegativeBuckets))
			}
		}
	case promql.Vector:
		for i := range v {
			n += labelsText(v[i].Metric) + pointText
			if h := v[i].H; h != nil {
				n += bucketText * int64(len(h.PositiveBuckets)+len(h.NegativeBuckets))
			}
		}
	}
	return n
}

func labelsText(ls labels.Labels) (n int64) {
	ls.Range(func(l labels.Label) { n += int64(len(l.Name)+len(l.Value)) + 6 })
	return n
}
