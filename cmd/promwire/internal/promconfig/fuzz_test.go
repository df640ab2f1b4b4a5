package promconfig_test

import (
	"testing"

	"github.com/promwire/promwire/cmd/promwire/internal/promconfig"
)

// Whatever a file holds, the answer is blocks that clients were made of, or an error.
func FuzzParse(f *testing.F) {
	f.Add([]byte(whole))
	f.Add([]byte("remote_write: [{url: 'http://h/', sigv4: {region: x}}]"))
	f.Add([]byte("remote_write: [{url: 'http://h/', tls_config: {ca: x}}]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		blocks, err := promconfig.Parse(data, t.TempDir())
		if (err == nil) == (len(blocks) == 0) {
			t.Errorf("%d blocks, %v", len(blocks), err)
		}
	})
}
