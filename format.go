package promwire

import "strings"

// String returns the labels as in the text format, the metric name in front: name{a="b"}.
func (ls Labels) String() string { return string(ls.AppendText(nil)) }

// AppendText appends the text form of ls (see [Labels.String]) to dst.
func (ls Labels) AppendText(dst []byte) []byte {
	name, open := ls.Get(MetricName), false
	if ValidName(name, LegacyNames, true) {
		dst = append(dst, name...)
	} else if name != "" {
		dst, open = appendQuoted(append(dst, '{'), name), true
	}
	for _, l := range ls {
		if l.Name == MetricName {
			continue
		}
		if open {
			dst = append(dst, ',')
		} else {
			dst, open = append(dst, '{'), true
		}
		if ValidName(l.Name, LegacyNames, false) {
			dst = append(dst, l.Name...)
		} else {
			dst = appendQuoted(dst, l.Name)
		}
		dst = appendQuoted(append(dst, '='), l.Value)
	}
	if open || name == "" {
		if !open {
			dst = append(dst, '{')
		}
		dst = append(dst, '}')
	}
	return dst
}

var textEscaper = strings.NewReplacer(`\`, `\\`, "\n", `\n`, `"`, `\"`)

func appendQuoted(dst []byte, s string) []byte {
	dst = append(dst, '"')
	if strings.ContainsAny(s, "\\\n\"") {
		s = textEscaper.Replace(s)
	}
	return append(append(dst, s...), '"')
}
