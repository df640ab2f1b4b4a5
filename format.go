package promwire

import "strings"

// String returns the labels as in the text format, the metric name in front: name{a="b"}.
func (ls Labels) String() string { return string(ls.AppendText(nil)) }

// AppendText appends the text form of ls (see [Labels.String]) to dst.
func (ls Labels) AppendText(dst []byte) []byte {
	t := beginLabelText(dst, ls.Get(MetricName))
	for _, l := range ls {
		if l.Name != MetricName {
			t.pair(l.Name, l.Value)
		}
	}
	return t.end()
}

// labelText writes the text form of a label set: the metric name, then pairs in braces. A name outside the legacy
// scheme goes quoted into the braces, first of all (Prometheus text format, UTF-8 names).
type labelText struct {
	dst  []byte
	open bool // the brace is written
	bare bool // something stands before the brace, so that empty braces are left out
}

func beginLabelText(dst []byte, name string) labelText {
	switch {
	case ValidName(name, LegacyNames, true):
		return labelText{dst: append(dst, name...), bare: true}
	case name != "":
		return labelText{dst: appendQuoted(append(dst, '{'), name), open: true}
	default:
		return labelText{dst: dst}
	}
}

func (t *labelText) pair(name, value string) {
	if t.open {
		t.dst = append(t.dst, ',')
	} else {
		t.dst, t.open = append(t.dst, '{'), true
	}
	if ValidName(name, LegacyNames, false) {
		t.dst = append(t.dst, name...)
	} else {
		t.dst = appendQuoted(t.dst, name)
	}
	t.dst = appendQuoted(append(t.dst, '='), value)
}

func (t *labelText) end() []byte {
	if !t.open && !t.bare {
		t.dst, t.open = append(t.dst, '{'), true
	}
	if t.open {
		t.dst = append(t.dst, '}')
	}
	return t.dst
}

var textEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if strings.ContainsAny(s, "\\\n\"") {
		s = textEscaper.Replace(s)
	}
	return append(append(dst, s...), '"')
}
