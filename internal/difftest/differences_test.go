package difftest

import (
	"errors"
	"strings"
	"testing"

	"github.com/promwire/promwire"
)

// differences are the messages that promwire refuses and the library accepts, all on purpose.
var differences = []struct {
	field  string // part of the field's path in the error; "" for any
	text   string // end of the error
	reason string
}{
	{
		"", "groups are not supported",
		"Wire types 3 and 4 are not part of proto3, and no encoder writes them. The library skips such fields.",
	},
	{
		"", "invalid field number",
		"Field numbers end at 2^29-1. The library cuts larger ones to 32 bits, and may take them for known fields.",
	},
	{
		"_counts", "value reaches past the end",
		"The last value of a packed field is cut off. The library completes it with bytes of the fields behind.",
	},
	{"_deltas", "value reaches past the end", "As above."},
	{"_refs", "value reaches past the end", "As above."},
	{"custom_values", "value reaches past the end", "As above."},
	{"accepted_response_types", "value reaches past the end", "As above."},
	{
		"results.metadata", "",
		"A QueryResult has one field. promwire walks it as a WriteRequest, whose field 3 is metadata, and judges the " +
			"form of such a field before it ignores it. The library skips it.",
	},
}

// intended reports whether promwire refuses a message on purpose that the library accepts.
func intended(err error) bool {
	var de *promwire.DecodeError
	if !errors.As(err, &de) {
		return false
	}
	for _, d := range differences {
		if strings.Contains(de.Field, d.field) && strings.HasSuffix(err.Error(), d.text) {
			return true
		}
	}
	return false
}

// sameVerdict fails if only one of both refuses a message, and returns whether both accept it.
func sameVerdict(t *testing.T, err, libraryErr error) bool {
	t.Helper()
	if (err == nil) != (libraryErr == nil) && (err == nil || !intended(err)) {
		t.Fatalf("got error %v, library %v", err, libraryErr)
	}
	return err == nil && libraryErr == nil
}
