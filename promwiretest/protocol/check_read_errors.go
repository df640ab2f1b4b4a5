package protocol

import (
	"net/http"

	"github.com/promwire/promwire"
)

// readErrorChecks are about requests that can't be answered.
func readErrorChecks() []check {
	all := []check{
		badMatcher("read/bad-pattern", "a pattern that does not compile", promwire.Matcher{Type: promwire.MatchRegexp, Name: "x", Value: "(("}),
		badMatcher("read/bad-match-type", "a match type that does not exist", promwire.Matcher{Type: 9, Name: "x", Value: "a"}),
		{
			name: "read/method", spec: "Remote Read, request and response; RFC 9110, 15.5.6", needs: needRead,
			sent: "PUT", want: "405",
			run: func(p *probe) {
				p.wantRefused(p.send(http.MethodPut, p.readURL, readHeaders(), readBody(nil, p.query())), http.StatusMethodNotAllowed)
			},
		},
		{
			name: "read/body/announced", spec: "Remote Read, request and response; snappy format", needs: needRead,
			sent: "13 bytes that announce 4 GiB", want: "413 or 400, within five seconds",
			run: func(p *probe) {
				a := p.readRaw([]byte("\xff\xff\xff\xff\x0f\x1cabcdefgh"))
				if a.status != http.StatusRequestEntityTooLarge {
					p.wantRefused(a, http.StatusBadRequest)
				}
				if a.took > prompt {
					p.fail("refused after %v", a.took)
				}
			},
		},
	}
	for _, c := range []struct {
		name, sent string
		body       []byte
	}{
		{"empty", "no byte at all", nil},
		{"garbage", "bytes that are neither snappy nor protobuf", garbage},
		{"framed", "the magic bytes of framed snappy", []byte("\xff\x06\x00\x00sNaPpY")},
		{"not-protobuf", "a snappy block of bytes that are no message", snappy([]byte("\x0a\xff\xff\xff\xff\x0f not a message"))},
	} {
		all = append(all, check{
			name: "read/body/" + c.name, spec: "Remote Read, request and response", needs: needRead, sent: c.sent, want: "400 with a text",
			run: func(p *probe) { p.wantRefused(p.readRaw(c.body), http.StatusBadRequest) },
		})
	}
	return all
}

func (p *probe) readRaw(body []byte) *answer {
	return p.send(http.MethodPost, p.readURL, readHeaders(), body)
}

// badMatcher is about a second query that can't be answered: no part of an answer may pass for the whole.
func badMatcher(name, sent string, m promwire.Matcher) check {
	return check{
		name: name, spec: "Remote Read, matchers", needs: readable, sent: "a good query, and one with " + sent + "; as samples and as a stream",
		want: "400 with a text, nothing that passes for an answer",
		run: func(p *probe) {
			if !p.seed(p.series(p.labels(), 1)) {
				return
			}
			for _, types := range [][]promwire.ResponseType{samplesOnly, {1, 0}} {
				a := p.read(types, p.query(), p.query(m))
				switch {
				case a.err != nil && a.status != 0: // a stream that breaks off
					p.warn("the answer begins, and breaks off: %v", a.err)
				case a.err == nil && a.status/100 == 5:
					p.warn("status %d for a fault of the request; want 400", a.status)
				case a.ok():
					if frames, err := a.frames(); err != nil {
						p.warn("status %d, and the answer breaks off: %v", a.status, err)
					} else {
						p.fail("status %d and %d whole frames, as if both queries were answered", a.status, len(frames))
					}
				default:
					p.wantRefused(a, http.StatusBadRequest)
				}
			}
		},
	}
}
