package promwire

import (
	"fmt"
	"unicode/utf8"

	"github.com/promwire/promwire/internal/pb"
)

// Validate checks that ls is a complete label set in the form that [Labels] promises: a metric name, names that are
// valid, sorted and unique, values that are valid UTF-8 and not empty (Remote Write 1.0 and 2.0, "Labels").
//
// The error names the label and wraps [ErrNoMetricName], [ErrEmptyLabelName], [ErrInvalidName], [ErrInvalidUTF8],
// [ErrDuplicateLabel], [ErrUnsortedLabels] or [ErrEmptyLabelValue]; it is the first one in label order, and a
// missing metric name comes last. [Labels.Normalize] mends order and empty values. Valid labels cost no allocation.
func (ls Labels) Validate(scheme NameScheme) error {
	named := false
	for i := range ls {
		l := &ls[i]
		metric := l.Name == MetricName
		if i > 0 && l.Name <= ls[i-1].Name || !l.valid(scheme, metric) {
			return ls.problem(i, scheme)
		}
		named = named || metric
	}
	if !named {
		return fmt.Errorf("%w: there is no label %s", ErrNoMetricName, MetricName)
	}
	return nil
}

// valid reports whether l is valid on its own.
func (l *Label) valid(scheme NameScheme, metric bool) bool {
	if l.Name == "" || l.Value == "" || !validText(l.Name) || !validText(l.Value) {
		return false
	}
	return scheme == UTF8Names || ValidName(l.Name, scheme, false) && (!metric || ValidName(l.Value, scheme, true))
}

// problem returns what is wrong with label i; the labels before it are right.
func (ls Labels) problem(i int, scheme NameScheme) error {
	l := ls[i]
	switch {
	case l.Name == "":
		return fmt.Errorf("%w: its value is %.100q", ErrEmptyLabelName, l.Value)
	case !utf8.ValidString(l.Name):
		return fmt.Errorf("%w: label name %.100q", ErrInvalidUTF8, l.Name)
	case !ValidName(l.Name, scheme, false):
		return fmt.Errorf("%w: label name %.100q", ErrInvalidName, l.Name)
	case i > 0 && l.Name == ls[i-1].Name:
		return fmt.Errorf("%w: %.100q", ErrDuplicateLabel, l.Name)
	case i > 0 && l.Name < ls[i-1].Name:
		return fmt.Errorf("%w: %.100q after %.100q", ErrUnsortedLabels, l.Name, ls[i-1].Name)
	case l.Value == "" && l.Name == MetricName:
		return fmt.Errorf("%w: label %s is empty", ErrNoMetricName, MetricName)
	case l.Value == "":
		return fmt.Errorf("%w: %.100q", ErrEmptyLabelValue, l.Name)
	case !utf8.ValidString(l.Value):
		return fmt.Errorf("%w: value %.100q of label %.100q", ErrInvalidUTF8, l.Value, l.Name)
	default:
		return fmt.Errorf("%w: metric name %.100q", ErrInvalidName, l.Value)
	}
}

// plainLabels reports whether ls needs no closer look: in strict order of names, nothing empty, all ASCII, with a
// metric name. Nearly all labels are like that, and there are many of them: it is one pass with few branches.
func plainLabels(ls Labels) bool {
	named, previous, or := false, "", uint64(0)
	for i := range ls {
		l := &ls[i]
		if l.Value == "" || !before(previous, l.Name) {
			return false
		}
		or |= joinBytes(l.Name) | joinBytes(l.Value)
		named = named || l.Name == MetricName
		previous = l.Name
	}
	return named && or&0x8080808080808080 == 0
}

// before reports whether a < b; most names differ in their first byte already.
func before(a, b string) bool {
	if len(a) > 0 && len(b) > 0 && a[0] != b[0] {
		return a[0] < b[0]
	}
	return a < b
}

// ascii reports whether no byte of s has its high bit set.
func ascii(s string) bool { return joinBytes(s)&0x8080808080808080 == 0 }

// joinBytes combines all bytes of s by or, eight at a time, the last ones twice if need be.
func joinBytes(s string) uint64 {
	n := len(s)
	switch {
	case n > 16:
		or := pb.Uint64(s, n-16) | pb.Uint64(s, n-8)
		for i := 0; i < n-16; i += 16 {
			or |= pb.Uint64(s, i) | pb.Uint64(s, i+8)
		}
		return or
	case n >= 8:
		return pb.Uint64(s, 0) | pb.Uint64(s, n-8)
	case n >= 4:
		return uint64(load32(s, 0) | load32(s, n-4))
	case n > 0:
		return uint64(s[0] | s[n/2] | s[n-1])
	default:
		return 0
	}
}

// load32 compiles to one load.
func load32(s string, i int) uint32 {
	b := s[i : i+4]
	return uint32(b[0]) | uint32(b[1])<<8 | uint32(b[2])<<16 | uint32(b[3])<<24
}

func validText(s string) bool { return ascii(s) || utf8.ValidString(s) }

// Validate checks the labels of an exemplar: any number of them, sorted and unique, valid and not empty. The error wraps
// [ErrInvalidExemplar] and what [Labels.Validate] would say. A valid exemplar costs no allocation.
func (e *Exemplar) Validate(scheme NameScheme) error {
	ls := e.Labels
	for i := range ls {
		if i > 0 && ls[i].Name <= ls[i-1].Name || !ls[i].valid(scheme, false) {
			return fmt.Errorf("%w: %w", ErrInvalidExemplar, ls.problem(i, scheme))
		}
	}
	return nil
}

// The largest copy of a label set that a Refusal keeps: a 2.0 message can name one large symbol again and again, so
// that full copies of what is refused would be many times larger than the message.
const (
	maxRefusedLabels = 64
	maxRefusedText   = 4 << 10
)

// shorten returns ls, or a part of it that is fit for an error, sharing the strings.
func shorten(ls Labels) Labels {
	text := 0
	for i := range ls {
		text += len(ls[i].Name) + len(ls[i].Value)
	}
	if len(ls) <= maxRefusedLabels && text <= maxRefusedText {
		return ls
	}
	ls = append(Labels(nil), ls[:min(len(ls), maxRefusedLabels)]...)
	part := maxRefusedText / len(ls) / 2
	for i := range ls {
		ls[i] = Label{cut(ls[i].Name, part), cut(ls[i].Value, part)}
	}
	return ls
}

// cut returns at most n bytes of s, not ending within a character.
func cut(s string, n int) string {
	if len(s) <= n {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	return s[:n]
}
