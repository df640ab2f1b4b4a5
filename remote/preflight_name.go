package remote

import (
	"fmt"
	"strings"
	"unicode/utf8"

	"github.com/promwire/promwire"
)

// escapeLabel gives l a classic name and, if it is the metric name, a classic value; what is not UTF-8 stays.
func escapeLabel(l *promwire.Label, tell func(PreflightRule, error)) {
	if name := underscores(l.Name, false); name != l.Name {
		tell(RuleName, fmt.Errorf("%w: label name %.100q becomes %.100q", promwire.ErrInvalidName, l.Name, name))
		l.Name = name
		if name == promwire.MetricName {
			l.Name = "_" + name // it is a label still
		}
		return
	}
	if l.Name != promwire.MetricName {
		return
	}
	if value := underscores(l.Value, true); value != l.Value {
		tell(RuleName, fmt.Errorf("%w: metric name %.100q becomes %.100q", promwire.ErrInvalidName, l.Value, value))
		l.Value = value
	}
}

// underscores writes each character that a classic name may not have as an underscore.
func underscores(s string, metric bool) string {
	if s == "" || promwire.ValidName(s, promwire.LegacyNames, metric) || !utf8.ValidString(s) {
		return s
	}
	first := true
	return strings.Map(func(c rune) rune {
		digit := c >= '0' && c <= '9' && !first
		if first = false; digit || c < utf8.RuneSelf && promwire.ValidName(string(c), promwire.LegacyNames, metric) {
			return c
		}
		return '_'
	}, s)
}
