package promwire

import (
	"errors"
	"strings"
	"testing"
	"unicode/utf8"
)

func TestLabelsValidate(t *testing.T) {
	up := Label{MetricName, "up"}
	tests := []struct {
		name   string
		labels Labels
		scheme NameScheme
		want   error
		text   string
	}{
		{"name only", Labels{up}, LegacyNames, nil, ""},
		{"capitals before the name", Labels{{"A", "b"}, {"Z", "b"}, up, {"a", "b"}}, LegacyNames, nil, ""},
		{"values are any UTF-8", Labels{up, {"a", "é\n\x00\u2028😀"}}, LegacyNames, nil, ""},
		{"colon in the metric name", Labels{{MetricName, "a:b"}}, LegacyNames, nil, ""},
		{"UTF-8", Labels{{MetricName, "a b"}, {"é", "x"}, {"😀", "x"}}, UTF8Names, nil, ""},
		{"nothing", nil, UTF8Names, ErrNoMetricName, "__name__"},
		{"nameless", Labels{{"a", "b"}}, UTF8Names, ErrNoMetricName, "no label __name__"},
		{"empty metric name", Labels{{MetricName, ""}}, UTF8Names, ErrNoMetricName, "empty"},
		{"empty value", Labels{up, {"a", ""}}, UTF8Names, ErrEmptyLabelValue, `"a"`},
		{"empty name", Labels{{"", "b"}, up}, UTF8Names, ErrEmptyLabelName, `"b"`},
		{"repeated", Labels{up, {"a", "b"}, {"a", "c"}}, UTF8Names, ErrDuplicateLabel, `"a"`},
		{"repeated metric name", Labels{up, up}, UTF8Names, ErrDuplicateLabel, "__name__"},
		{"unsorted", Labels{up, {"b", "x"}, {"a", "x"}}, UTF8Names, ErrUnsortedLabels, `"a" after "b"`},
		{"prefix after the longer name", Labels{up, {"ab", "x"}, {"a", "x"}}, UTF8Names, ErrUnsortedLabels, `"a" after "ab"`},
		{"invalid value", Labels{up, {"a", "12345678\xff"}}, UTF8Names, ErrInvalidUTF8, `value "12345678\xff" of label "a"`},
		{"invalid name", Labels{up, {"a\xc3", "x"}}, UTF8Names, ErrInvalidUTF8, `name "a\xc3"`},
		{"surrogate", Labels{up, {"a", "\xed\xa0\x80"}}, UTF8Names, ErrInvalidUTF8, `"a"`},
		{"legacy metric name", Labels{{MetricName, "a.b"}}, LegacyNames, ErrInvalidName, `metric name "a.b"`},
		{"legacy label name", Labels{up, {"a.b", "x"}}, LegacyNames, ErrInvalidName, `label name "a.b"`},
		{"legacy label name with a digit in front", Labels{{"1a", "x"}, up}, LegacyNames, ErrInvalidName, `"1a"`},
		{"the first of two faults", Labels{up, {"a", "\xff"}, {"a", ""}}, UTF8Names, ErrInvalidUTF8, `"a"`},
		{"long text is cut", Labels{{strings.Repeat("n", 1<<20), strings.Repeat("v", 1<<20) + "\xff"}}, UTF8Names, ErrInvalidUTF8, "nnnn"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			err := tt.labels.Validate(tt.scheme)
			if !errors.Is(err, tt.want) {
				t.Fatalf("error %v, want %v", err, tt.want)
			}
			if err != nil && (!strings.Contains(err.Error(), tt.text) || len(err.Error()) > 10_000) {
				t.Errorf("error %.200v, want one with %q", err, tt.text)
			}
			if n := testing.AllocsPerRun(10, func() { _ = tt.labels.Validate(tt.scheme) }); err == nil && n != 0 {
				t.Errorf("%v allocations, want 0", n)
			}
		})
	}
}

// The quick way must say what package utf8 says, at every length and for a bad byte at every place.
func TestValidText(t *testing.T) {
	for n := range 40 {
		text := []byte(strings.Repeat("x", n))
		if !validText(string(text)) {
			t.Errorf("%d letters are invalid", n)
		}
		for i := range text {
			for _, c := range []byte{0x7f, 0x80, 0xc3, 0xff} {
				text[i] = c
				if got, want := validText(string(text)), utf8.Valid(text); got != want {
					t.Errorf("%q: %t, want %t", text, got, want)
				}
				if i+1 < n {
					text[i+1] = 0xa9
					if got, want := validText(string(text)), utf8.Valid(text); got != want {
						t.Errorf("%q: %t, want %t", text, got, want)
					}
					text[i+1] = 'x'
				}
			}
			text[i] = 'x'
		}
	}
}
