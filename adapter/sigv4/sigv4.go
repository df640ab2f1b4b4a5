// Package sigv4 signs requests with AWS Signature Version 4, for Amazon Managed Service for Prometheus and other
// endpoints that ask for it:
//
//	auth, err := sigv4.New(ctx, sigv4.Options{Region: "eu-central-1"})
//	client, err := remote.NewWriteClient(url, remote.WithAuth(auth))
package sigv4

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"net/http"
	"time"

	"github.com/aws/aws-sdk-go-v2/aws"
	v4 "github.com/aws/aws-sdk-go-v2/aws/signer/v4"
	"github.com/aws/aws-sdk-go-v2/config"
	"github.com/aws/aws-sdk-go-v2/credentials"
	"github.com/aws/aws-sdk-go-v2/credentials/stscreds"
	"github.com/aws/aws-sdk-go-v2/service/sts"

	"github.com/promwire/promwire"
)

// DefaultService is the name that Amazon Managed Service for Prometheus signs with.
const DefaultService = "aps"

// Options say whose credentials sign, and for where. The zero value takes all of it from the environment: variables,
// shared configuration, web identity of a pod, container and instance roles, in the order of the AWS SDK.
type Options struct {
	// Region that the endpoint is in. Default: that of the environment; it is an error if there is none.
	Region string
	// Service that is signed for. Default [DefaultService].
	Service string
	// Profile of the shared configuration files. Default: that of the environment.
	Profile string
	// AccessKey and SecretKey are fixed credentials in place of the chain of the SDK.
	AccessKey, SecretKey string
	// RoleARN is a role to assume with the credentials found, ExternalID what it may demand.
	RoleARN, ExternalID string
}

// Signer signs requests; it is an Auth of package remote. It is safe for concurrent use.
type Signer struct {
	credentials     aws.CredentialsProvider
	signer          *v4.Signer
	region, service string
	now             func() time.Time
}

// New makes a signer. It reads the configuration, and asks for credentials when the first request is signed; they are
// kept until shortly before they expire.
func New(ctx context.Context, o Options) (*Signer, error) {
	var load []func(*config.LoadOptions) error
	if o.Region != "" {
		load = append(load, config.WithRegion(o.Region))
	}
	if o.Profile != "" {
		load = append(load, config.WithSharedConfigProfile(o.Profile))
	}
	if (o.AccessKey == "") != (o.SecretKey == "") {
		return nil, errors.New("sigv4: give both AccessKey and SecretKey, or neither")
	}
	if o.AccessKey != "" {
		load = append(load, config.WithCredentialsProvider(credentials.NewStaticCredentialsProvider(o.AccessKey, o.SecretKey, "")))
	}
	cfg, err := config.LoadDefaultConfig(ctx, load...)
	if err != nil {
		return nil, fmt.Errorf("sigv4: load the AWS configuration: %w", err)
	}
	if cfg.Region == "" {
		return nil, errors.New("sigv4: no region: set Options.Region or AWS_REGION")
	}
	provider := cfg.Credentials
	if o.RoleARN != "" {
		provider = aws.NewCredentialsCache(stscreds.NewAssumeRoleProvider(sts.NewFromConfig(cfg), o.RoleARN,
			func(a *stscreds.AssumeRoleOptions) {
				if o.ExternalID != "" {
					a.ExternalID = aws.String(o.ExternalID)
				}
			}))
	}
	if o.Service == "" {
		o.Service = DefaultService
	}
	return &Signer{credentials: provider, signer: v4.NewSigner(), region: cfg.Region, service: o.Service, now: time.Now}, nil
}

// Authorize signs req with all its headers. Amazon Managed Service for Prometheus refuses the tenant header, and has the
// tenant in its URL: for it, that header is removed.
func (s *Signer) Authorize(req *http.Request, body []byte) error {
	if s.service == DefaultService {
		req.Header.Del(promwire.HeaderTenant)
	}
	c, err := s.credentials.Retrieve(req.Context())
	if err != nil {
		return fmt.Errorf("get AWS credentials: %w", err)
	}
	sum := sha256.Sum256(body)
	hash := hex.EncodeToString(sum[:])
	req.Header.Set("X-Amz-Content-Sha256", hash)
	if err := s.signer.SignHTTP(req.Context(), c, req, hash, s.service, s.region, s.now()); err != nil {
		return fmt.Errorf("sign the request: %w", err)
	}
	return nil
}
