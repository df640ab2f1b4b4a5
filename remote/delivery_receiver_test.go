package remote

import (
	"context"
	"path/filepath"
	"testing"

	"github.com/promwire/promwire"
	"github.com/promwire/promwire/promwiretest"
)

// Over HTTP, in each style of refusal, over 1.0 and over what the client negotiates (2.0 for a receiver that counts):
// 9,999 series arrive, one is named and in the file.
func TestDeliveryToReceiver(t *testing.T) {
	const series, bad = 10_000, 4_321
	styles := map[string]promwiretest.RefusalStyle{
		"part": promwiretest.RefusePart, "part silently": promwiretest.RefusePartSilently, "all": promwiretest.RefuseAll,
	}
	for name, style := range styles {
		for message, options := range map[string][]WriteOption{"1.0": {WithMessageType(promwire.WriteV1)}, "negotiated": nil} {
			t.Run(name+" "+message, func(t *testing.T) {
				r := promwiretest.NewReceiver(promwiretest.WithoutRequestData())
				defer r.Close()
				isBad := func(ls promwire.Labels) bool { return ls.Get("bad") != "" }
				r.SetScript(promwiretest.Always(promwiretest.RefuseSeries(isBad, style)))
				c, err := NewWriteClient(r.URL, options...)
				if err != nil {
					t.Fatal(err)
				}
				path := filepath.Join(t.TempDir(), "letters")
				f, err := OpenDeadLetters(path, DeadLetterOptions{})
				if err != nil {
					t.Fatal(err)
				}
				defer f.Close()
				d := NewDelivery(c, DeliveryOptions{MaxBisectRequests: 40, DeadLetters: f, Endpoint: r.URL})
				stats, err := d.Write(context.Background(), seriesWithBad(series, bad))
				if rs := refusalsOf(err); len(rs) != 1 || rs[0].Series != bad || stats.Samples != series-1 {
					t.Fatalf("%d written, error %.300v", stats.Samples, err)
				}
				if n := len(r.Series()); n != series-1 {
					t.Errorf("%d series arrived", n)
				}
				letters, errs := lettersIn(t, path)
				if len(letters) != 1 || len(errs) > 0 || letters[0].Series.Samples[0].Value != bad || letters[0].Endpoint != r.URL {
					t.Errorf("got %+v, %v", letters, errs)
				}
				if n := d.Stats().BisectRequests; n > 30 {
					t.Errorf("took %d requests to bisect", n)
				}
			})
		}
	}
}
