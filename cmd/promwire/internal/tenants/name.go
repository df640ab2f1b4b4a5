package tenants

import (
	"errors"
	"fmt"
	"strings"

	"github.com/promwire/promwire/server"
)

// ErrName says that a name can't be that of a tenant.
var ErrName = errors.New("invalid tenant")

// CheckName returns an error that wraps [ErrName] unless name follows the rules of Mimir: 1 to 150 letters, digits and
// characters of !-_.*'() , but neither "." nor "..". Such a name is that of a folder too.
func CheckName(name string) error {
	switch {
	case name == "":
		return fmt.Errorf("%w: it is empty", ErrName)
	case len(name) > server.MaxTenantBytes:
		return fmt.Errorf("%w: %d bytes, limit %d", ErrName, len(name), server.MaxTenantBytes)
	case name == "." || name == "..":
		return fmt.Errorf("%w: %q", ErrName, name)
	}
	for _, r := range name {
		if (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune("!-_.*'()", r) {
			return fmt.Errorf("%w: %q has %q; letters, digits and !-_.*'() may be there", ErrName, name, r)
		}
	}
	return nil
}
