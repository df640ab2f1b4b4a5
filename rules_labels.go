package promwire

import (
	"fmt"
	"strings"
)

// labels judges the labels of ts, and mends what may be mended.
func (r *Rules) labels(ts *TimeSeries) error {
	if r.MaxLabels > 0 && len(ts.Labels) > r.MaxLabels {
		return fmt.Errorf("%w: %d, limit %d", ErrTooManyLabels, len(ts.Labels), r.MaxLabels)
	}
	if r.MaxLabelNameBytes > 0 || r.MaxLabelValueBytes > 0 {
		if err := r.lengths(ts.Labels); err != nil {
			return err
		}
	}
	if r.Validation == ValidateStrict && r.Type == WriteV2 && len(ts.Samples) > 0 && len(ts.Histograms) > 0 {
		return fmt.Errorf("%w: it has samples too", ErrInvalidHistogram)
	}
	if r.Names == UTF8Names && plainLabels(ts.Labels) {
		return nil
	}
	switch r.Validation {
	case ValidateStrict:
	case ValidateLenient:
		mendText(ts.Labels)
		ts.Labels = ts.Labels.Normalize()
	default:
		ts.Labels = ts.Labels.Normalize()
	}
	return ts.Labels.Validate(r.Names)
}

// lengths finds a label that is too long.
func (r *Rules) lengths(ls Labels) error {
	for i := range ls {
		l := &ls[i]
		if r.MaxLabelNameBytes > 0 && len(l.Name) > r.MaxLabelNameBytes {
			return fmt.Errorf("%w: name %.50q... of %d bytes, limit %d", ErrLabelTooLong, l.Name, len(l.Name), r.MaxLabelNameBytes)
		}
		if r.MaxLabelValueBytes > 0 && len(l.Value) > r.MaxLabelValueBytes {
			return fmt.Errorf("%w: value of %.100q has %d bytes, limit %d", ErrLabelTooLong, l.Name, len(l.Value), r.MaxLabelValueBytes)
		}
	}
	return nil
}

// mendText replaces what is no valid UTF-8.
func mendText(ls Labels) {
	for i := range ls {
		l := &ls[i]
		if !validText(l.Name) {
			l.Name = strings.ToValidUTF8(l.Name, "\uFFFD")
		}
		if !validText(l.Value) {
			l.Value = strings.ToValidUTF8(l.Value, "\uFFFD")
		}
	}
}
