//go:build linux

package main

import (
	"context"
	"encoding/json"
	"fmt"
	"math"
	"net/url"
	"strconv"
	"time"

	"github.com/promwire/promwire"
)

// answer is what the query API answers.
type answer struct {
	Data struct {
		Result []struct {
			Metric map[string]string `json:"metric"`
			Value  point             `json:"value"`
			Values []point           `json:"values"`
		} `json:"result"`
	} `json:"data"`
}

// point is a time in seconds and a value in quotes.
type point struct {
	time  int64 // milliseconds
	value float64
}

func (p *point) UnmarshalJSON(text []byte) error {
	var seconds float64
	var value string
	if err := json.Unmarshal(text, &[2]any{&seconds, &value}); err != nil {
		return err
	}
	v, err := strconv.ParseFloat(value, 64)
	p.time, p.value = int64(math.Round(seconds*1000)), v
	return err
}

// compare reads all samples back, and fails if they are not what was sent.
func (t *trial) compare(ctx context.Context, l *load, sent content) error {
	span := fmt.Sprintf("[%ds]", (l.end().UnixMilli()-l.start)/1000+60)
	if l.full {
		return t.compareAll(ctx, l, `{__name__!=""}`+span, sent)
	}
	count, err := t.total(ctx, l, "count_over_time", span)
	if err != nil {
		return err
	}
	sum, err := t.total(ctx, l, "sum_over_time", span)
	if err == nil && (count != float64(sent.Samples) || sum != sent.sum) {
		err = fmt.Errorf("stored %v samples with the sum %v, sent %d with %v", count, sum, sent.Samples, sent.sum)
	}
	return err
}

// total adds what a function says of all series, one metric at a time: the function drops their names.
func (t *trial) total(ctx context.Context, l *load, function, span string) (sum float64, err error) {
	names := map[string]bool{}
	for i := range l.series {
		names[l.series[i].Labels.Get(promwire.MetricName)] = true
	}
	for name := range names {
		a, err := t.query(ctx, "sum("+function+"("+name+span+"))", l.end())
		if err != nil {
			return 0, err
		}
		for _, r := range a.Data.Result {
			sum += r.Value.value
		}
	}
	return sum, nil
}

func (t *trial) compareAll(ctx context.Context, l *load, span string, sent content) error {
	a, err := t.query(ctx, span, l.end())
	if err != nil {
		return err
	}
	var got content
	for _, r := range a.Data.Result {
		ts := promwire.TimeSeries{Labels: promwire.LabelsFromMap(r.Metric)}
		for _, p := range r.Values {
			ts.Samples = append(ts.Samples, promwire.Sample{Timestamp: p.time, Value: p.value})
		}
		got.add(&ts)
	}
	if got != sent {
		return fmt.Errorf("stored %+v, sent %+v", got, sent)
	}
	return nil
}

func (t *trial) query(ctx context.Context, text string, at time.Time) (*answer, error) {
	body, err := t.get(ctx, "/api/v1/query?"+url.Values{"query": {text}, "time": {fmt.Sprint(at.Unix())}}.Encode())
	if err != nil {
		return nil, err
	}
	a := &answer{}
	return a, json.Unmarshal(body, a)
}
