package htpasswd

import (
	"bytes"
	"fmt"
	"strings"
	"unicode/utf8"

	"golang.org/x/crypto/bcrypt"
)

// maxCost bounds what a file can ask for: each step doubles the time, and 16 takes seconds.
const maxCost = 15

// parse reads the content of a file: from user to hash. cost is the highest of all hashes.
func parse(content []byte) (users map[string]string, cost int, err error) {
	users = map[string]string{}
	for i, line := range strings.Split(string(bytes.TrimPrefix(content, []byte("\uFEFF"))), "\n") {
		line = strings.TrimSpace(line)
		if line == "" || line[0] == '#' {
			continue
		}
		user, hash, found := strings.Cut(line, ":")
		if !found || user == "" || !utf8.ValidString(user) {
			return nil, 0, fmt.Errorf("line %d is not user:hash", i+1)
		}
		if users[user] != "" {
			return nil, 0, fmt.Errorf("line %d: user %.100q is there twice", i+1, user)
		}
		c, err := check(hash)
		if err != nil {
			return nil, 0, fmt.Errorf("line %d, user %.100q: %w", i+1, user, err)
		}
		users[user], cost = hash, max(cost, c)
	}
	if len(users) == 0 {
		return nil, 0, fmt.Errorf("there is no user in it")
	}
	return users, cost, nil
}

// check returns the cost of a hash. The error does not show the hash.
func check(hash string) (int, error) {
	if !strings.HasPrefix(hash, "$2") || len(hash) != 60 {
		return 0, fmt.Errorf("no bcrypt hash (make one with htpasswd -B)")
	}
	cost, err := bcrypt.Cost([]byte(hash))
	if err != nil {
		return 0, fmt.Errorf("no bcrypt hash: %w", err)
	}
	if cost > maxCost {
		return 0, fmt.Errorf("cost %d takes too long, limit %d", cost, maxCost)
	}
	return cost, nil
}
