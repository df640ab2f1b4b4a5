package sigv4_test

import (
	"context"
	"fmt"

	"github.com/promwire/promwire/adapter/sigv4"
	"github.com/promwire/promwire/remote"
)

// Amazon Managed Service for Prometheus, with the credentials of the environment and a role to assume.
func ExampleNew() {
	signer, err := sigv4.New(context.Background(), sigv4.Options{
		Region: "eu-central-1", RoleARN: "arn:aws:iam::123456789012:role/metrics",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := remote.NewWriteClient(
		"https://aps-workspaces.eu-central-1.amazonaws.com/workspaces/ws-1/api/v1/remote_write", remote.WithAuth(signer))
	fmt.Println(client != nil, err)
	// Output: true <nil>
}
