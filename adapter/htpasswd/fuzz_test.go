package htpasswd

import "testing"

// FuzzParse reads any file. What is taken has bcrypt hashes of a cost that can be paid.
func FuzzParse(f *testing.F) {
	const hash = "$2y$05$abcdefghijklmnopqrstuuO4S4CGrBWqDQ3FzQ2ZfcVmU0mKqg2hS"
	for _, seed := range []string{"", "ann:" + hash, "# x\r\n\nann:" + hash + "\r\nbob:" + hash, ":", "ann", "ann:$2y$31$", "\uFEFFann:" + hash} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, content []byte) {
		users, cost, err := parse(content)
		if err != nil {
			if users != nil {
				t.Errorf("users with an error: %v", err)
			}
			return
		}
		if len(users) == 0 || cost < 4 || cost > maxCost {
			t.Errorf("%d users, cost %d", len(users), cost)
		}
		for user, hash := range users {
			if user == "" || len(hash) != 60 {
				t.Errorf("user %q, hash %q", user, hash)
			}
		}
	})
}
