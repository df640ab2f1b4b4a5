package gateway

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"math"
	"strconv"

	"github.com/promwire/promwire"
)

var (
	errMatrix    = errors.New("the answer is no matrix")
	errHistogram = fmt.Errorf("%w: native histograms can't be read through this engine: its queries show them in another form", promwire.ErrUnsupported)
	errPartial   = errors.New("the engine does not have all data at the moment")
)

// matrixSeries is a series of the result of a query.
type matrixSeries struct {
	Metric     map[string]string   `json:"metric"`
	Values     [][2]matrixNumber   `json:"values"`
	Histograms [][]json.RawMessage `json:"histograms"`
}

// matrixNumber is a time in seconds, or a value in a string.
type matrixNumber float64

// UnmarshalJSON implements json.Unmarshaler.
func (n *matrixNumber) UnmarshalJSON(text []byte) error {
	if len(text) > 1 && text[0] == '"' {
		text = text[1 : len(text)-1]
	}
	v, err := strconv.ParseFloat(string(text), 64)
	*n = matrixNumber(v)
	return err
}

// maxSeries bounds the text of a series of an answer, in bytes: it is held at once.
const maxSeries = 32 << 20

// allowance is an answer that fails when more of it is read than one series may have.
type allowance struct {
	io.Reader
	left int
}

// Read implements io.Reader.
func (a *allowance) Read(p []byte) (int, error) {
	if a.left <= 0 {
		return 0, fmt.Errorf("%w: a series of the answer has more than %d bytes", promwire.ErrTooLarge, maxSeries)
	}
	n, err := a.Reader.Read(p[:min(len(p), a.left)])
	a.left -= n
	return n, err
}

// matrix calls add with each sample of an answer of the query API. It holds one series of the answer at a time.
func matrix(answer io.Reader, add func(promwire.Labels, promwire.Sample) error) error {
	bounded := &allowance{answer, maxSeries}
	d := json.NewDecoder(bounded)
	status := ""
	err := object(d, func(key string) error {
		switch key {
		case "status":
			return d.Decode(&status)
		case "data":
			return object(d, func(key string) error {
				if key == "result" {
					return series(d, bounded, add)
				}
				return skip(d)
			})
		case "warnings":
			var warnings []string
			if err := d.Decode(&warnings); err != nil || len(warnings) == 0 {
				return err
			}
			return fmt.Errorf("%w: %.200s", errPartial, warnings[0])
		default:
			return skip(d)
		}
	})
	if err == nil && status != "success" {
		return fmt.Errorf("%w: its status is %.40q", errMatrix, status)
	}
	return err
}

// object calls do with each key of an object; do reads the value.
func object(d *json.Decoder, do func(key string) error) error {
	if err := begin(d, '{'); err != nil {
		return err
	}
	for d.More() {
		key, err := d.Token()
		if err != nil {
			return fmt.Errorf("%w: %w", errMatrix, err)
		}
		if err := do(key.(string)); err != nil {
			return err
		}
	}
	_, err := d.Token()
	return err
}

// begin reads the begin of an object or a list.
func begin(d *json.Decoder, want json.Delim) error {
	switch t, err := d.Token(); {
	case err != nil:
		return fmt.Errorf("%w: %w", errMatrix, err)
	case t != want:
		return fmt.Errorf("%w: %v instead of %v", errMatrix, t, want)
	}
	return nil
}

func skip(d *json.Decoder) error {
	var ignored json.RawMessage
	return d.Decode(&ignored)
}

// series reads the list of series.
func series(d *json.Decoder, bounded *allowance, add func(promwire.Labels, promwire.Sample) error) error {
	if err := begin(d, '['); err != nil {
		return err
	}
	for d.More() {
		var s matrixSeries
		if err := d.Decode(&s); err != nil {
			return fmt.Errorf("%w: %w", errMatrix, err)
		}
		bounded.left = maxSeries
		ls := promwire.LabelsFromMap(s.Metric)
		if len(s.Histograms) > 0 {
			return fmt.Errorf("%w: %.200s", errHistogram, ls.String())
		}
		for _, v := range s.Values {
			if err := add(ls, promwire.Sample{Timestamp: int64(math.Round(float64(v[0]) * 1000)), Value: float64(v[1])}); err != nil {
				return err
			}
		}
	}
	_, err := d.Token()
	return err
}

// store is one of those that a Thanos Query asks. Times are in milliseconds.
type store struct{ MinTime int64 }

// maxStores bounds the list of stores, in bytes.
const maxStores = 16 << 20

// stores returns those of a Thanos Query.
func (e *Engine) stores(ctx context.Context) ([]store, error) {
	resp, err := e.ask(ctx, "stores", nil)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	var answer struct{ Data map[string][]store }
	if err := json.NewDecoder(io.LimitReader(resp.Body, maxStores)).Decode(&answer); err != nil {
		return nil, fmt.Errorf("list of stores: %w", err)
	}
	var all []store
	for _, of := range answer.Data {
		all = append(all, of...)
	}
	return all, nil
}
