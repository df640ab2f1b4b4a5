package protocol

import (
	"net/http"
	"time"

	"github.com/promwire/promwire"
)

// prompt is how soon a body that announces too much has to be refused.
const prompt = 5 * time.Second

// bodyChecks are about bodies that are not snappy blocks of the message.
func bodyChecks() []check {
	var all []check
	for _, t := range messages {
		prefix, needs := "write/"+short(t)+"/body/", needOf(t)
		for _, c := range []struct {
			name, sent string
			body       []byte
		}{
			{"empty", "no byte at all", nil},
			{"framed", "the magic bytes of framed snappy, and a frame", []byte("\xff\x06\x00\x00sNaPpY\x01\x05\x00\x00\x00\x00\x00\x00\x0a")},
			{"garbage", "bytes that are neither snappy nor protobuf", garbage},
			{"cut", "a snappy block cut in a literal", []byte{0x05, 0x08, 0x01, 0x02}},
			{"short", "a snappy block with fewer bytes than it announces", []byte{0x0a, 0x00, 0x61}},
			{"trailing", "a snappy block with more bytes than it announces", []byte{0x01, 0x00, 0x61, 0x62}},
			{"copy-before-start", "a snappy block with a copy from before its start", []byte{0x04, 0x01, 0x05, 0x00, 0x00}},
			{"not-protobuf", "a snappy block of bytes that are no message", snappy([]byte("\x0a\xff\xff\xff\xff\x0f not a message"))},
			{"truncated", "a snappy block of the first half of a message", nil}, // filled in by run
		} {
			all = append(all, check{
				name: prefix + c.name, spec: spec(t, "Protocol"), needs: needs, sent: c.sent, want: "400 with a text",
				run: func(p *probe) {
					body := c.body
					if c.name == "truncated" {
						whole := message(t, p.series(p.labels(), 1, 2, 3))
						body = snappy(whole[:len(whole)-5])
					}
					p.wantRefused(p.writeBody(t, body), http.StatusBadRequest)
					p.wantRead()
				},
			})
		}
		all = append(all, check{
			name: prefix + "announced", spec: spec(t, "Protocol") + "; snappy format", needs: needs,
			sent: "13 bytes that announce 4 GiB, and 13 that announce 2 GiB", want: "413 or 400, within five seconds",
			run: func(p *probe) { p.announced(t) },
		})
	}
	return append(all, check{
		name: "write/v1/body/empty-message", spec: "Remote Write 1.0, Protocol", needs: needWrite,
		sent: "a message without series: a snappy block of no bytes", want: "2xx",
		run: func(p *probe) {
			p.wantStored(p.writeBody(promwire.WriteV1, []byte{0}), promwire.WriteV1, promwire.WriteStats{})
		},
	})
}

// announced sends small bodies that announce large ones.
func (p *probe) announced(t promwire.MessageType) {
	for _, head := range []string{"\xff\xff\xff\xff\x0f", "\xff\xff\xff\xff\x07"} {
		a := p.writeBody(t, []byte(head+"\x1cabcdefgh"))
		status := http.StatusRequestEntityTooLarge
		if a.status == http.StatusBadRequest {
			status = a.status
		}
		p.wantRefused(a, status)
		if a.took > prompt {
			p.fail("refused after %v", a.took)
		}
	}
}
