package protocol

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/promwire/promwire"
)

// maxAnswer bounds what is kept of an answer.
const maxAnswer = 16 << 20

// answer is what came back.
type answer struct {
	status int
	header http.Header
	body   []byte
	err    error // there was no whole answer
	took   time.Duration
}

func (a *answer) ok() bool { return a.err == nil && a.status/100 == 2 }

// refused reports whether the answer tells the sender never to send this again.
func (a *answer) refused() bool {
	return a.err == nil && a.status/100 == 4 && a.status != http.StatusTooManyRequests && a.status != http.StatusRequestTimeout
}

// written returns the counts of a 2.0 answer, and whether all three are there.
func (a *answer) written() (stats promwire.WriteStats, complete bool) {
	complete = true
	for name, n := range map[string]*int{
		promwire.HeaderSamplesWritten:    &stats.Samples,
		promwire.HeaderHistogramsWritten: &stats.Histograms,
		promwire.HeaderExemplarsWritten:  &stats.Exemplars,
	} {
		value, err := strconv.Atoi(a.header.Get(name))
		*n, complete = value, complete && err == nil
	}
	return stats, complete
}

// String returns the answer in one line.
func (a *answer) String() string {
	if a.err != nil {
		return "no answer: " + a.err.Error()
	}
	out := strconv.Itoa(a.status)
	if stats, complete := a.written(); complete {
		out += fmt.Sprintf(" written %d/%d/%d", stats.Samples, stats.Histograms, stats.Exemplars)
	}
	if contentType := a.header.Get("Content-Type"); !strings.HasPrefix(contentType, "text/plain") && contentType != "" {
		out += " " + contentType
	} else if text := a.text(); text != "" {
		out += fmt.Sprintf(" %q", text)
	}
	return out
}

// text returns the start of an answer's text.
func (a *answer) text() string {
	const most = 150
	text := strings.TrimSpace(string(a.body[:min(len(a.body), most)]))
	return strings.ToValidUTF8(text, "?")
}

// headers are those of a request, in order to be changed.
func headers(t promwire.MessageType) http.Header {
	h := http.Header{}
	h.Set("Content-Type", t.ContentType())
	h.Set("Content-Encoding", promwire.EncodingSnappy)
	h.Set(promwire.HeaderWriteVersion, t.Version())
	return h
}

func readHeaders() http.Header {
	h := http.Header{}
	h.Set("Content-Type", promwire.ContentTypeProtobuf)
	h.Set("Content-Encoding", promwire.EncodingSnappy)
	h.Set("Accept-Encoding", promwire.EncodingSnappy)
	h.Set(promwire.HeaderReadVersion, promwire.ReadVersion)
	return h
}

// send sends one request and reads the answer, within the timeout.
func (p *probe) send(method, url string, h http.Header, body []byte) *answer {
	a := p.exchange(method, url, h, body)
	p.note("%s", a)
	return a
}

func (p *probe) exchange(method, url string, h http.Header, body []byte) *answer {
	ctx, cancel := context.WithTimeout(p.ctx, p.timeout)
	defer cancel()
	a := &answer{header: http.Header{}}
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		a.err = err
		return a
	}
	for name, values := range h {
		req.Header[name] = values
	}
	for name, values := range p.header {
		req.Header[name] = values
	}
	req.Header.Set("User-Agent", "promwire-check/"+promwire.Version)
	begin := time.Now()
	resp, err := p.client.Do(req)
	if err != nil {
		a.err = err
		return a
	}
	defer resp.Body.Close()
	a.status, a.header = resp.StatusCode, resp.Header
	a.body, a.err = io.ReadAll(io.LimitReader(resp.Body, maxAnswer+1))
	if a.err == nil && len(a.body) > maxAnswer {
		a.err = fmt.Errorf("more than %d bytes of answer", maxAnswer)
	}
	a.took = time.Since(begin)
	return a
}

func snappy(message []byte) []byte {
	body, _ := promwire.Snappy.AppendEncoded(nil, message) // it has no errors
	return body
}

// writeBody sends a body as it is.
func (p *probe) writeBody(t promwire.MessageType, body []byte) *answer {
	return p.send(http.MethodPost, p.writeURL, headers(t), body)
}

// writeMessage sends a message.
func (p *probe) writeMessage(t promwire.MessageType, message []byte) *answer {
	return p.writeBody(t, snappy(message))
}

// write sends series.
func (p *probe) write(t promwire.MessageType, series ...promwire.TimeSeries) *answer {
	return p.writeMessage(t, message(t, series...))
}

func message(t promwire.MessageType, series ...promwire.TimeSeries) []byte {
	req := promwire.WriteRequest{Timeseries: series}
	msg, err := req.AppendProto(nil, t)
	if err != nil {
		panic("protocol: " + err.Error()) // only family metadata can't be encoded
	}
	return msg
}

// wantStored judges the answer to a request of which everything has to be written.
func (p *probe) wantStored(a *answer, t promwire.MessageType, want promwire.WriteStats) bool {
	switch {
	case a.err != nil:
		p.fail("no answer: %v", a.err)
		return false
	case !a.ok():
		p.fail("status %d for a good request", a.status)
		return false
	}
	if t == promwire.WriteV2 && !p.wantWritten(a, want) {
		return false
	}
	if a.status != http.StatusNoContent && a.status != http.StatusOK {
		p.warn("status %d; 204 says best that all is stored", a.status)
	}
	if len(a.body) > 0 {
		p.warn("the answer has a body of %d bytes; it should be empty", len(a.body))
	}
	return true
}

// wantWritten judges the counts of a 2.0 answer.
func (p *probe) wantWritten(a *answer, want promwire.WriteStats) bool {
	stats, complete := a.written()
	if !complete {
		p.fail("status %d without the three Written headers", a.status)
		return false
	}
	if stats != want {
		p.fail("the Written headers say %d samples, %d histograms, %d exemplars; want %d, %d, %d",
			stats.Samples, stats.Histograms, stats.Exemplars, want.Samples, want.Histograms, want.Exemplars)
		return false
	}
	return true
}

// wantRefused judges the answer to a request that can never succeed as a whole: 400, without hope.
func (p *probe) wantRefused(a *answer, status int) bool {
	switch {
	case a.err != nil:
		p.fail("no answer: %v", a.err)
		return false
	case a.ok():
		p.fail("status %d, as if all were stored; want %d", a.status, status)
		return false
	case !a.refused():
		p.fail("status %d makes senders try again what can't succeed; want %d", a.status, status)
		return false
	case a.status != status:
		p.warn("status %d; want %d", a.status, status)
	}
	if len(bytes.TrimSpace(a.body)) == 0 {
		p.warn("no text that says what is wrong")
	}
	return true
}

// wantPartial judges the answer to a request of which a part is refused.
func (p *probe) wantPartial(a *answer, t promwire.MessageType, want promwire.WriteStats) bool {
	ok := p.wantRefused(a, http.StatusBadRequest)
	if t == promwire.WriteV2 && a.err == nil {
		ok = p.wantWritten(a, want) && ok
	}
	return ok
}
