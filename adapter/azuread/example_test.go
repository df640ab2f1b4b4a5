package azuread_test

import (
	"fmt"

	"github.com/promwire/promwire/adapter/azuread"
	"github.com/promwire/promwire/remote"
)

// A workspace of Azure Monitor, with the secret of an application.
func ExampleNew() {
	tokens, err := azuread.New(azuread.Options{
		Method: azuread.ClientSecret, TenantID: "11111111-2222-3333-4444-555555555555",
		ClientID: "66666666-7777-8888-9999-000000000000", Secret: "s3cret",
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	client, err := remote.NewWriteClient("https://workspace.westeurope-1.metrics.ingest.monitor.azure.com/api/v1/write",
		remote.WithAuth(tokens))
	fmt.Println(client != nil, err)
	// Output: true <nil>
}
