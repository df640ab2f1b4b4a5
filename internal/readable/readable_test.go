package readable

import "testing"

func TestText(t *testing.T) {
	for text, want := range map[string]string{
		"out of order\n": "out of order\n", "\x1b[2Jgone\r\a": "[2Jgone", "a\xffb\u0085c": "abc", "é\t€": "é\t€", "x\xe2\x82": "x",
	} {
		if got := Text([]byte(text)); got != want {
			t.Errorf("%q: %q, want %q", text, got, want)
		}
	}
}
