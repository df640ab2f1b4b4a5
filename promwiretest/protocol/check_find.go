package protocol

import (
	"net/http"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/internal/native"
)

// findChecks find out what the endpoint has.
func findChecks() []check {
	return []check{
		{
			name: "write/v1/sample", spec: "Remote Write 1.0, Protocol", finds: true,
			sent: "one series with one sample", want: "2xx, best 204 without a body", run: findV1,
		},
		{
			name: "write/v2/sample", spec: "Remote Write 2.0, Required Written Response Headers", finds: true,
			sent: "one series with one sample", want: "2xx, best 204 without a body, and the three Written headers with 1, 0, 0; or 415", run: findV2,
		},
		{
			name: "read/samples", spec: "Remote Read, request and response", finds: true,
			sent: "a query for one series of three samples, no accepted response type", run: findRead,
			want: "200, Content-Type application/x-protobuf, Content-Encoding snappy, one result with the series bit by bit",
		},
		{
			name: "read/stream", spec: "Remote Read, Streamed Chunks", finds: true,
			sent: "the same, accepted STREAMED_XOR_CHUNKS", run: findStream,
			want: "200, " + promwire.ContentTypeStream + ", frames with right checksums, the series bit by bit; or 400",
		},
		{
			name: "write/histogram", spec: "Remote Write 2.0, Protobuf message", finds: true,
			sent: "a series with one native histogram", want: "2xx, and 0, 1, 0 written over 2.0; read back as sent", run: findHistograms,
		},
	}
}

func findV1(p *probe) {
	if p.writeURL == "" {
		p.lack(needWrite, "no write endpoint was given")
		p.notApplicable("no write endpoint was given")
		return
	}
	a := p.write(promwire.WriteV1, p.series(p.labels(), 1))
	switch {
	case a.ok():
		p.have(needWrite)
	case a.err != nil:
		p.lack(needWrite, "the write endpoint does not answer")
	case a.status == http.StatusUnsupportedMediaType:
		p.have(needWrite)
		p.notApplicable("the endpoint does not take 1.0")
		return
	default:
		p.lack(needWrite, "the write endpoint does not take a plain sample")
	}
	p.wantStored(a, promwire.WriteV1, samples(1))
}

func findV2(p *probe) {
	if p.has&needWrite == 0 {
		p.notApplicable(p.lacks[needWrite])
		return
	}
	a := p.write(promwire.WriteV2, p.series(p.labels(), 1))
	if a.err == nil && a.status == http.StatusUnsupportedMediaType {
		p.lack(needV2, "the endpoint does not take 2.0, and says so")
		p.notApplicable("the endpoint does not take 2.0, and says so")
		return
	}
	if p.wantStored(a, promwire.WriteV2, samples(1)) {
		p.have(needV2)
		return
	}
	p.lack(needV2, "the endpoint does not take 2.0")
}

func findRead(p *probe) {
	if p.readURL == "" {
		p.lack(needRead, "no read endpoint was given")
		p.notApplicable("no read endpoint was given")
		return
	}
	var want []promwire.TimeSeries
	if p.has&needWrite != 0 {
		want = append(want, p.series(p.labels(), 1, 2.5, -3))
		p.write(p.anyMessage(), want...)
	}
	a := p.read(nil, p.query())
	switch {
	case a.err != nil:
		p.fail("no answer: %v", a.err)
	case a.status == http.StatusNotFound || a.status == http.StatusMethodNotAllowed || a.status == http.StatusNotImplemented:
		p.notApplicable("there is no remote read at this path")
	case a.status != http.StatusOK:
		p.fail("status %d for a plain query", a.status)
	default:
		if _, err := a.results(1); err != nil {
			p.fail("%v", err)
			break
		}
		p.have(needRead)
		p.wantQuery(p.query(), want...)
		return
	}
	p.lack(needRead, "there is no remote read that works")
}

// anyMessage is a message that the endpoint takes.
func (p *probe) anyMessage() promwire.MessageType {
	if p.has&needV2 != 0 {
		return promwire.WriteV2
	}
	return promwire.WriteV1
}

func findStream(p *probe) {
	if p.has&needRead == 0 {
		p.notApplicable(p.lacks[needRead])
		return
	}
	var want []promwire.TimeSeries
	if p.has&needWrite != 0 {
		want = append(want, p.series(p.labels(), 1, 2.5, -3))
		p.write(p.anyMessage(), want...)
	}
	a := p.read(streamOnly, p.query())
	if a.err == nil && a.status == http.StatusBadRequest {
		p.lack(needStream, "the endpoint does not stream, and says so")
		p.notApplicable("the endpoint does not stream, and says so")
		return
	}
	if _, err := a.frames(); err != nil {
		p.fail("%v", err)
		p.lack(needStream, "the stream does not work")
		return
	}
	p.have(needStream)
	p.wantStream(p.query(), want...)
}

func findHistograms(p *probe) {
	if p.has&needWrite == 0 {
		p.notApplicable(p.lacks[needWrite])
		return
	}
	ts := promwire.TimeSeries{Labels: p.labels(), Histograms: []promwire.Histogram{native.Int(p.at(0))}}
	a := p.write(p.anyMessage(), ts)
	if a.refused() {
		p.lack(needHistograms, "the endpoint does not take native histograms, and says so")
		p.notApplicable("the endpoint does not take native histograms, and says so")
		return
	}
	if p.wantStored(a, p.anyMessage(), promwire.WriteStats{Histograms: 1}) && p.wantRead(ts) {
		p.have(needHistograms)
		return
	}
	p.lack(needHistograms, "native histograms get lost")
}
