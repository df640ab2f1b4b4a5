package promwire

import (
	"fmt"
	"mime"
	"strings"
)

// MessageType names the protobuf message of a remote-write request; its value is the message's full name.
type MessageType string

// The remote-write messages.
const (
	// WriteV1 is the message of Remote Write 1.0.
	WriteV1 MessageType = "prometheus.WriteRequest"
	// WriteV2 is the message of Remote Write 2.0 (release candidate 4).
	WriteV2 MessageType = "io.prometheus.write.v2.Request"
)

// Header names of the protocols.
const (
	HeaderWriteVersion      = "X-Prometheus-Remote-Write-Version"
	HeaderReadVersion       = "X-Prometheus-Remote-Read-Version"
	HeaderSamplesWritten    = "X-Prometheus-Remote-Write-Samples-Written"
	HeaderHistogramsWritten = "X-Prometheus-Remote-Write-Histograms-Written"
	HeaderExemplarsWritten  = "X-Prometheus-Remote-Write-Exemplars-Written"
)

// Header values of the protocols. Receivers compare some of them byte for byte: 2.0 has no blank after the
// semicolon, the read stream has one.
const (
	ContentTypeProtobuf = "application/x-protobuf"
	ContentTypeWriteV2  = "application/x-protobuf;proto=io.prometheus.write.v2.Request"
	ContentTypeStream   = "application/x-streamed-protobuf; proto=prometheus.ChunkedReadResponse"
	EncodingSnappy      = "snappy"
	WriteVersionV1      = "0.1.0"
	WriteVersionV2      = "2.0.0"
	ReadVersion         = "0.1.0"
)

// ContentType returns the Content-Type header of a request with this message.
func (t MessageType) ContentType() string {
	if t == WriteV2 {
		return ContentTypeWriteV2
	}
	return ContentTypeProtobuf
}

// Version returns the X-Prometheus-Remote-Write-Version header of a request with this message.
func (t MessageType) Version() string {
	if t == WriteV2 {
		return WriteVersionV2
	}
	return WriteVersionV1
}

// ParseContentType returns the message that a Content-Type header announces; a missing header means 1.0. It is
// lenient where receivers differ: blanks, letter case of type and parameter name, quotes. Anything else is
// [ErrUnsupported].
func ParseContentType(header string) (MessageType, error) {
	switch header {
	case ContentTypeWriteV2:
		return WriteV2, nil
	case "", ContentTypeProtobuf:
		return WriteV1, nil
	}
	media, params, err := mime.ParseMediaType(strings.TrimRight(header, "; \t"))
	if err != nil || media != ContentTypeProtobuf {
		return "", fmt.Errorf("%w: content type %.100q, want %q", ErrUnsupported, header, ContentTypeProtobuf)
	}
	switch name, given := params["proto"]; {
	case !given, name == string(WriteV1):
		return WriteV1, nil
	case name == string(WriteV2):
		return WriteV2, nil
	default:
		return "", fmt.Errorf("%w: message %.100q, want %q or %q", ErrUnsupported, name, WriteV1, WriteV2)
	}
}
