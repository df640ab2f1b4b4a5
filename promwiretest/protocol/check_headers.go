package protocol

import (
	"net/http"

	"github.com/promwire/promwire"
)

// garbage is no body in any encoding.
var garbage = []byte("\xff\xff\xff\xff\xff this is neither snappy nor protobuf")

// headerChecks are about what the headers of a write say.
func headerChecks() []check {
	var all []check
	for _, c := range []struct{ name, contentType string }{
		{"json", "application/json"},
		{"png", "image/png"},
		{"text", "text/plain; charset=utf-8"},
		{"unknown-message", "application/x-protobuf;proto=io.prometheus.write.v9.Request"},
	} {
		all = append(all, refusedHeader("write/content-type/"+c.name, "Content-Type", c.contentType))
	}
	for _, encoding := range []string{"deflate", "br", "x-unknown"} {
		all = append(all, refusedHeader("write/encoding/"+encoding, "Content-Encoding", encoding))
	}
	return append(
		all,
		check{
			name: "write/content-type/v1-named", spec: "Remote Write 2.0, Protocol", needs: needWrite,
			sent: "a 1.0 message as application/x-protobuf;proto=prometheus.WriteRequest", want: "2xx, and the sample stored",
			run: func(p *probe) {
				p.headerStored(promwire.WriteV1, "Content-Type", "application/x-protobuf;proto=prometheus.WriteRequest", false)
			},
		},
		check{
			name: "write/content-type/v2-blank", spec: "Remote Write 2.0, Protocol; RFC 9110, 5.6.6", needs: needWrite | needV2,
			sent: "a 2.0 message, with a blank behind the semicolon of its content type", want: "2xx and the sample counted and stored, or a refusal",
			run: func(p *probe) {
				p.headerStored(promwire.WriteV2, "Content-Type", "application/x-protobuf; proto=io.prometheus.write.v2.Request", true)
			},
		},
		check{
			name: "write/content-type/missing", spec: "Remote Write 2.0, Protocol", needs: needWrite,
			sent: "a 1.0 message without Content-Type", want: "2xx and the sample stored, or a refusal",
			run: func(p *probe) { p.headerStored(promwire.WriteV1, "Content-Type", "", true) },
		},
		check{
			name: "write/encoding/missing", spec: "Remote Write 2.0, Protocol", needs: needWrite,
			sent: "a message in snappy without Content-Encoding", want: "2xx and the sample stored, or a refusal",
			run: func(p *probe) { p.headerStored(p.anyMessage(), "Content-Encoding", "", true) },
		},
		check{
			name: "write/v2/version-header", spec: "Remote Write 2.0, Protocol", needs: needWrite | needV2,
			sent: "a 2.0 message with the version header of 1.0", want: "2xx and the sample stored: the content type decides; or a refusal",
			run: func(p *probe) {
				p.headerStored(promwire.WriteV2, promwire.HeaderWriteVersion, promwire.WriteVersionV1, true)
			},
		},
		check{
			name: "write/method", spec: "Remote Write 1.0, Protocol; RFC 9110, 15.5.6", needs: needWrite,
			sent: "GET and PUT", want: "405",
			run: func(p *probe) {
				for _, method := range []string{http.MethodGet, http.MethodPut} {
					a := p.send(method, p.writeURL, headers(promwire.WriteV1), nil)
					p.wantRefused(a, http.StatusMethodNotAllowed)
				}
			},
		},
	)
}

// refusedHeader is about a header value that no receiver knows: it is judged before the body.
func refusedHeader(name, header, value string) check {
	return check{
		name: name, spec: "Remote Write 2.0, Response", needs: needWrite,
		sent: header + ": " + value + ", once with a good body and once with a corrupt one", want: "415",
		run: func(p *probe) {
			h := headers(promwire.WriteV1)
			h.Set(header, value)
			for _, body := range [][]byte{snappy(message(promwire.WriteV1, p.series(p.labels(), 1))), garbage} {
				p.wantRefused(p.send(http.MethodPost, p.writeURL, h, body), http.StatusUnsupportedMediaType)
			}
		},
	}
}

// headerStored sends a sample with one header changed, or removed: it has to be stored if the answer says so, and may
// be refused where that is allowed.
func (p *probe) headerStored(t promwire.MessageType, header, value string, mayRefuse bool) {
	h := headers(t)
	if value == "" {
		h.Del(header)
	} else {
		h.Set(header, value)
	}
	ts := p.series(p.labels(), 1)
	a := p.send(http.MethodPost, p.writeURL, h, snappy(message(t, ts)))
	if mayRefuse && a.refused() {
		return
	}
	if p.wantStored(a, t, samples(1)) {
		p.wantRead(ts)
	}
}
