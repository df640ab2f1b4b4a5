package process

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"net/http"

	"github.com/promwire/promwire"
)

// Post sends a request, compressed by snappy. An answer other than 2xx is an error.
func Post(ctx context.Context, client *http.Client, url string, message promwire.MessageType, body []byte) error {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(body))
	if err != nil {
		return err
	}
	req.Header.Set("Content-Type", message.ContentType())
	req.Header.Set("Content-Encoding", promwire.EncodingSnappy)
	req.Header.Set(promwire.HeaderWriteVersion, message.Version())
	resp, err := client.Do(req)
	if err != nil {
		return err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode/100 != 2 {
		err = fmt.Errorf("%s: %s", resp.Status, text)
	}
	return err
}
