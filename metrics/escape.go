package metrics

import (
	"strconv"
	"strings"

	"github.com/promwire/promwire"
)

// Escaping says how names that the legacy scheme has no place for become names that it has.
type Escaping uint8

// The ways to escape, which are those of Prometheus.
const (
	// EscapeUnderscores puts _ in the place of every character that is not allowed: http.requests becomes http_requests.
	EscapeUnderscores Escaping = iota + 1
	// EscapeValues keeps what the name was: it begins with U__, _ becomes __, and a character that is not allowed its code
	// point in hexadecimal digits between underscores. http.requests becomes U__http_2e_requests.
	EscapeValues
)

// WithEscapedNames escapes the names of metrics, labels and labels of exemplars that [promwire.LegacyNames] does not allow,
// where a registry refuses them by default. It suits names that come from data, and receivers that take legacy names only.
// The suffixes _total and _info are a part of the name that is escaped, as they are in Prometheus. Names that are valid stay
// as they are; an empty name is refused as ever. Two names that become one are a conflict: of metrics [ErrConflict], of
// labels [promwire.ErrDuplicateLabel]. Units are looked for in the name before and after escaping.
//
// A colon in the name of a label is escaped, too, since only names of metrics may have one; Prometheus leaves it. It panics if
// there is no such escaping. WithUTF8Names has no effect beside it.
func WithEscapedNames(e Escaping) RegistryOption {
	if e != EscapeUnderscores && e != EscapeValues {
		panic("metrics: WithEscapedNames: unknown escaping")
	}
	return func(r *Registry) { r.escaping = e }
}

// name returns a name in legacy characters. Without an escaping it stays as it is, and so does one that is empty.
func (e Escaping) name(name string, metric bool) string {
	if e == 0 || name == "" || promwire.ValidName(name, promwire.LegacyNames, metric) {
		return name
	}
	var b strings.Builder
	if e == EscapeValues {
		b.WriteString("U__")
	}
	for i, c := range name {
		valid := promwire.ValidName(string(c), promwire.LegacyNames, metric) || i > 0 && c >= '0' && c <= '9'
		switch {
		case e == EscapeValues && c == '_':
			b.WriteString("__")
		case valid:
			b.WriteRune(c)
		case e == EscapeValues:
			b.WriteString("_" + strconv.FormatInt(int64(c), 16) + "_")
		default:
			b.WriteByte('_')
		}
	}
	return b.String()
}

// escape gives a definition the names that are sent.
func (r *Registry) escape(d *definition) {
	if r.escaping == 0 || d.name == "" {
		return
	}
	d.name = strings.TrimSuffix(d.name, d.suffix()) + d.suffix()
	d.given = d.name
	d.name = r.escaping.name(d.name, true)
	for i, l := range d.labels {
		d.labels[i] = r.escaping.name(l, false)
	}
}

// escapeLabels returns labels with the names that are sent; ls stays as it is.
func (r *Registry) escapeLabels(ls promwire.Labels) promwire.Labels {
	if r.escaping == 0 {
		return ls
	}
	for i := range ls {
		if !promwire.ValidName(ls[i].Name, promwire.LegacyNames, false) {
			escaped := ls.Clone()
			for j := range escaped {
				escaped[j].Name = r.escaping.name(ls[j].Name, false)
			}
			return escaped
		}
	}
	return ls
}
