// Package azuread authorizes requests with tokens of Microsoft Entra ID (Azure AD), for Azure Monitor:
//
//	auth, err := azuread.New(azuread.Options{Method: azuread.ManagedIdentity, ClientID: id})
//	client, err := remote.NewWriteClient(url, remote.WithAuth(auth))
package azuread

import (
	"errors"
	"fmt"
	"net/http"

	"github.com/Azure/azure-sdk-for-go/sdk/azcore"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/cloud"
	"github.com/Azure/azure-sdk-for-go/sdk/azcore/policy"
	"github.com/Azure/azure-sdk-for-go/sdk/azidentity"
)

// Method is how a program proves who it is.
type Method string

// The methods.
const (
	// ManagedIdentity is that of the machine; ClientID chooses one of several.
	ManagedIdentity Method = "managed identity"
	// WorkloadIdentity is that of a pod, by a token file that Kubernetes renews. Empty fields are taken from the
	// environment (AZURE_CLIENT_ID, AZURE_TENANT_ID, AZURE_FEDERATED_TOKEN_FILE).
	WorkloadIdentity Method = "workload identity"
	// ClientSecret is an application with a secret: TenantID, ClientID and Secret.
	ClientSecret Method = "client secret"
)

// Options say who asks for tokens, and where.
type Options struct {
	Method Method
	// Cloud is "public" (the default), "china" or "government".
	Cloud string
	// TenantID is the directory of the application.
	TenantID string
	ClientID string
	// Secret is for [ClientSecret].
	Secret string
	// TokenFile is for [WorkloadIdentity].
	TokenFile string
	// Scope that tokens are for. Default: that of Azure Monitor in the cloud.
	Scope string
	// Client sends the requests for tokens. Default: that of the SDK.
	Client policy.Transporter
}

// clouds are the known ones, with the scope of Azure Monitor in each.
var clouds = map[string]struct {
	config cloud.Configuration
	scope  string
}{
	"":           {cloud.AzurePublic, "https://monitor.azure.com//.default"},
	"public":     {cloud.AzurePublic, "https://monitor.azure.com//.default"},
	"china":      {cloud.AzureChina, "https://monitor.azure.cn//.default"},
	"government": {cloud.AzureGovernment, "https://monitor.azure.us//.default"},
}

// Tokens authorizes requests; it is an Auth of package remote. The SDK keeps tokens and renews them before they expire.
// It is safe for concurrent use.
type Tokens struct {
	credential azcore.TokenCredential
	scope      string
}

// New makes the source of tokens. It asks for none yet.
func New(o Options) (*Tokens, error) {
	c, ok := clouds[o.Cloud]
	if !ok {
		return nil, fmt.Errorf("azuread: cloud %q, want public, china or government", o.Cloud)
	}
	if o.Scope == "" {
		o.Scope = c.scope
	}
	credential, err := o.credential(policy.ClientOptions{Cloud: c.config, Transport: o.Client})
	if err != nil {
		return nil, fmt.Errorf("azuread: %w", err)
	}
	return &Tokens{credential, o.Scope}, nil
}

func (o Options) credential(client policy.ClientOptions) (azcore.TokenCredential, error) {
	switch o.Method {
	case ManagedIdentity:
		options := &azidentity.ManagedIdentityCredentialOptions{ClientOptions: client}
		if o.ClientID != "" {
			options.ID = azidentity.ClientID(o.ClientID)
		}
		return azidentity.NewManagedIdentityCredential(options)
	case WorkloadIdentity:
		return azidentity.NewWorkloadIdentityCredential(&azidentity.WorkloadIdentityCredentialOptions{
			ClientOptions: client, ClientID: o.ClientID, TenantID: o.TenantID, TokenFilePath: o.TokenFile,
		})
	case ClientSecret:
		if o.TenantID == "" || o.ClientID == "" || o.Secret == "" {
			return nil, errors.New("client secret: TenantID, ClientID and Secret are needed")
		}
		return azidentity.NewClientSecretCredential(o.TenantID, o.ClientID, o.Secret,
			&azidentity.ClientSecretCredentialOptions{ClientOptions: client})
	default:
		return nil, fmt.Errorf("unknown method %q", o.Method)
	}
}

// Authorize sends a token with req.
func (t *Tokens) Authorize(req *http.Request, _ []byte) error {
	token, err := t.credential.GetToken(req.Context(), policy.TokenRequestOptions{Scopes: []string{t.scope}})
	if err != nil {
		return fmt.Errorf("get Azure token: %w", err)
	}
	req.Header.Set("Authorization", "Bearer "+token.Token)
	return nil
}
