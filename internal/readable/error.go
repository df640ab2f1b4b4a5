package readable

// maxText bounds what Short leaves of a text, in bytes.
const maxText = 1 << 10

// Short is Text of 1 KiB at most: of what is longer, it returns the begin and the end.
func Short(text string) string {
	if len(text) > maxText {
		const gap = " ... "
		half := (maxText - len(gap)) / 2
		text = text[:half] + gap + text[len(text)-half:]
	}
	return Text([]byte(text))
}

// Error returns err with Short of its text: net/http quotes whatever a peer sends in place of an answer. errors.Is and
// errors.As find what they find in err.
func Error(err error) error {
	if err == nil {
		return nil
	}
	text := err.Error()
	if short := Short(text); short != text {
		return &shortened{short, err}
	}
	return err
}

type shortened struct {
	text string
	err  error
}

func (s *shortened) Error() string { return s.text }

func (s *shortened) Unwrap() error { return s.err }
