package promconfig

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"

	commonconfig "github.com/prometheus/common/config"
)

// newClient is [commonconfig.NewClientFromConfig], whose clients send an empty secret when the file that has it is empty at
// the moment, as while it is replaced. With these the request fails, and nothing is sent.
func newClient(cfg commonconfig.HTTPClientConfig, name string, opts ...commonconfig.HTTPClientOption) (*http.Client, error) {
	files := false
	byRef := func(file, ref *string) {
		if *file != "" {
			*file, *ref, files = "", filePrefix+*file, true
		}
	}
	if cfg.Authorization != nil {
		a := *cfg.Authorization
		byRef(&a.CredentialsFile, &a.CredentialsRef)
		cfg.Authorization = &a
	}
	if cfg.BasicAuth != nil {
		b := *cfg.BasicAuth
		byRef(&b.PasswordFile, &b.PasswordRef)
		cfg.BasicAuth = &b
	}
	if files {
		opts = append(opts, commonconfig.WithSecretManager(secretFiles{}))
	}
	return commonconfig.NewClientFromConfig(cfg, name, opts...)
}

// secretFiles reads secrets from files that are named with filePrefix.
type secretFiles struct{}

const filePrefix = "file\x00"

// Fetch implements [commonconfig.SecretManager].
func (secretFiles) Fetch(ctx context.Context, ref string) (string, error) {
	file, ok := strings.CutPrefix(ref, filePrefix)
	if !ok {
		return "", errors.New("there are no secrets but in files")
	}
	secret, err := commonconfig.NewFileSecret(file).Fetch(ctx)
	if err == nil && secret == "" {
		err = fmt.Errorf("file %s is empty", file)
	}
	return secret, err
}
