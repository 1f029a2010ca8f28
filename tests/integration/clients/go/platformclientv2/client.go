// Package platformclientv2 stands in for the official Genesys Cloud SDK for Go, which Debian does not
// have: the names that the guide uses, as version 188 has them, over net/http with the SDK's
// time-out, and a connection for each request as it has.
package platformclientv2

import (
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"strings"
	"time"
)

// GateWayConfiguration is one host in place of the login host and the API host.
type GateWayConfiguration struct {
	Protocol, Host, Port string
	Auth                 *Auth
}

// Auth is not used yet, and must be there all the same.
type Auth struct {
	UserName, Password string
}

// Configuration is what all requests share.
type Configuration struct {
	AccessToken           string
	AutomaticTokenRefresh bool
	gateway               GateWayConfiguration
}

// Organization is the answer of GetOrganizationsMe.
type Organization struct {
	Id   *string `json:"id"`
	Name *string `json:"name"`
}

// APIResponse is an answer as it came.
type APIResponse struct {
	StatusCode int
	RawBody    []byte
}

// OrganizationApi has the requests about the organization.
type OrganizationApi struct {
	Configuration *Configuration
}

var shared = &Configuration{}

// GetDefaultConfiguration returns the one that API instances use.
func GetDefaultConfiguration() *Configuration { return shared }

// SetGateway panics without an Auth, as the SDK's does.
func (c *Configuration) SetGateway(gateway *GateWayConfiguration) {
	_ = gateway.Auth.UserName
	c.gateway = *gateway
}

func (c *Configuration) send(method, path, authorization, form string) (*APIResponse, error) {
	base := fmt.Sprintf("%s://%s:%s", c.gateway.Protocol, c.gateway.Host, c.gateway.Port)
	request, err := http.NewRequest(method, base+path, strings.NewReader(form))
	if err != nil {
		return nil, err
	}
	request.Close = true
	request.Header.Set("Authorization", authorization)
	if form != "" {
		request.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	}
	client := http.Client{Timeout: 16 * time.Second}
	answer, err := client.Do(request)
	if err != nil {
		return nil, err
	}
	defer answer.Body.Close()
	body, err := io.ReadAll(answer.Body)
	if err == nil && answer.StatusCode/100 != 2 {
		err = fmt.Errorf("API Error: %d (%s)", answer.StatusCode, body)
	}
	return &APIResponse{StatusCode: answer.StatusCode, RawBody: body}, err
}

// AuthorizeClientCredentials logs in.
func (c *Configuration) AuthorizeClientCredentials(clientID string, clientSecret string) error {
	basic, _ := http.NewRequest("POST", "http://unused", nil)
	basic.SetBasicAuth(clientID, clientSecret)
	form := url.Values{"grant_type": {"client_credentials"}}.Encode()
	answer, err := c.send("POST", "/oauth/token", basic.Header.Get("Authorization"), form)
	if err != nil {
		return err
	}
	var login struct {
		AccessToken string `json:"access_token"`
	}
	if err := json.Unmarshal(answer.RawBody, &login); err != nil {
		return err
	}
	c.AccessToken = login.AccessToken
	return nil
}

// NewOrganizationApi uses the default configuration.
func NewOrganizationApi() *OrganizationApi { return &OrganizationApi{shared} }

// GetOrganizationsMe asks for the organization of the token.
func (a OrganizationApi) GetOrganizationsMe() (*Organization, *APIResponse, error) {
	c := a.Configuration
	answer, err := c.send("GET", "/api/v2/organizations/me", "Bearer "+c.AccessToken, "")
	if err != nil {
		return nil, answer, err
	}
	organization := &Organization{}
	return organization, answer, json.Unmarshal(answer.RawBody, organization)
}
