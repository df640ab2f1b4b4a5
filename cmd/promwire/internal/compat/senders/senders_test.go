package senders

import (
	"math"
	"net"
	"net/http/httptest"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/cmd/promwire/internal/compat/proc"
)

// serve returns the address where a source can be scraped.
func serve(t *testing.T, s *source) string {
	t.Helper()
	server := httptest.NewServer(s)
	t.Cleanup(server.Close)
	return server.Listener.(*net.TCPListener).Addr().String()
}

// TestSenders: through a receiver that refuses for a while, and one that is killed, every value of every sender arrives.
func TestSenders(t *testing.T) {
	scrapes, all := plan(t)
	s := &stand{receiver: newReceiver(t)}
	process := s.receiver.run()
	s.start(t, all)
	s.await(t, scrapes/2)

	s.receiver.refuses.Store(true)
	s.await(t, scrapes/2+max(2, scrapes/20))
	for _, x := range s.senders {
		proc.WaitFor(t, x.name+" to be refused", func() bool { return s.receiver.answers(x.name, "503") > 0 })
	}
	s.receiver.refuses.Store(false)
	s.deliver(t)
	process.Kill()
	s.await(t, s.slowest()+2)
	s.receiver.run()

	s.await(t, scrapes)
	for _, x := range s.senders {
		x.source.stop()
	}
	accounts := s.settle(t)
	for _, p := range s.processes { // while there is someone to take what they still send
		p.Stop(t)
	}
	s.report(t, accounts)
}

// plan returns how many scrapes there are to be, one a second, and whether all senders are to take part.
func plan(t *testing.T) (scrapes int, all bool) {
	t.Helper()
	given := os.Getenv("PROMWIRE_SENDERS")
	if given == "" {
		return 15, false
	}
	d, err := time.ParseDuration(given)
	if err != nil || d < 10*time.Second {
		t.Fatalf("PROMWIRE_SENDERS=%s: want a duration of 10s or more: %v", given, err)
	}
	return int(d / time.Second), true
}

// start runs the senders. Only the first of several versions is Debian's.
func (s *stand) start(t *testing.T, all bool) {
	t.Helper()
	prometheus, vmagent := proc.Must(t, "prometheus"), proc.Must(t, "vmagent")
	if !all {
		prometheus, vmagent = prometheus[:1], vmagent[:1]
	}
	for _, p := range prometheus {
		messages := []promwire.MessageType{promwire.WriteV1}
		if !strings.HasPrefix(p.Version, "2.") {
			messages = append(messages, promwire.WriteV2)
		}
		s.runPrometheus(t, p, "server", messages...)
		s.runPrometheus(t, p, "agent", messages[len(messages)-1])
	}
	for _, p := range vmagent {
		s.runVmagent(t, p)
	}
	if !all {
		return
	}
	for _, p := range proc.Must(t, "otelcol") {
		s.runCollector(t, p, promwire.WriteV1)
		s.runCollector(t, p, promwire.WriteV2)
	}
	for _, p := range proc.Must(t, "telegraf") {
		s.runTelegraf(t, p)
	}
}

// slowest returns of how many scrapes every source is sure.
func (s *stand) slowest() int {
	n := len(s.senders[0].source.scraped())
	for _, x := range s.senders {
		n = min(n, len(x.source.scraped()))
	}
	return n
}

// await waits until every source was scraped this often. It is the clock of the test.
func (s *stand) await(t *testing.T, scrapes int) {
	t.Helper()
	defer func() {
		for _, x := range s.senders {
			if t.Failed() {
				t.Logf("%s: %d pages", x.name, len(x.source.scraped()))
			}
		}
	}()
	for n := s.slowest(); n < scrapes; n++ {
		proc.WaitFor(t, "another scrape of each source", func() bool { return s.slowest() > n })
	}
}

// deliver waits until each sender has delivered again.
func (s *stand) deliver(t *testing.T) {
	t.Helper()
	before := map[string]int{}
	for _, x := range s.senders {
		before[x.name] = s.receiver.answers(x.name, "2")
	}
	for _, x := range s.senders {
		proc.WaitFor(t, x.name+" to deliver after a refusal", func() bool { return s.receiver.answers(x.name, "2") > before[x.name] })
	}
}

// settle waits until everything is there, or nothing of what lacks has come for a minute, and returns how it is then.
func (s *stand) settle(t *testing.T) []account {
	t.Helper()
	tick := time.NewTicker(500 * time.Millisecond)
	defer tick.Stop()
	for least, last := math.MaxInt, time.Now(); ; <-tick.C {
		var accounts []account
		faults := 0
		for _, x := range s.senders {
			accounts = append(accounts, x.settle(s.receiver.read(t, x)))
			faults += len(accounts[len(accounts)-1].faults)
		}
		if faults < least {
			least, last = faults, time.Now()
		}
		if faults == 0 || time.Since(last) > proc.Patience {
			return accounts
		}
	}
}

// report fails the test for what is wrong, and writes the figures.
func (s *stand) report(t *testing.T, accounts []account) {
	t.Helper()
	for i, x := range s.senders {
		a := accounts[i]
		for _, f := range a.faults[:min(len(a.faults), 10)] {
			t.Errorf("%s: %s", x.name, f)
		}
		answers := s.receiver.traffic[x.name]
		t.Logf("%-32s %d pages, %d arrived, %d missed by the sender, %d faults; answers %v", x.name, a.pages, a.arrived, a.missed, len(a.faults), answers)
		for answer := range answers {
			if strings.HasPrefix(answer, "2") && !strings.HasSuffix(answer, string(x.message)) {
				t.Errorf("%s: %s, and should send %s", x.name, answer, x.message)
			}
		}
	}
	for _, text := range s.receiver.refused {
		t.Errorf("promwire refused: %s", text)
	}
}
