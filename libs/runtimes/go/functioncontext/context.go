// Package functioncontext tells a handler about its invocation.
package functioncontext

import (
	"context"
	"os"
	"strconv"
)

// Of the instance, known before the first invocation.
var (
	FunctionName       = os.Getenv("FUNCTION_NAME")
	FunctionVersion    = os.Getenv("FUNCTION_VERSION")
	MemoryLimitInMB, _ = strconv.Atoi(os.Getenv("FUNCTION_MEMORY_SIZE"))
)

// ClientApplication and ClientContext are what a caller may tell about itself.
type ClientApplication struct {
	InstallationID string `json:"installation_id"`
	AppTitle       string `json:"app_title"`
	AppVersionCode string `json:"app_version_code"`
	AppPackageName string `json:"app_package_name"`
}

type ClientContext struct {
	Client ClientApplication
	Env    map[string]string `json:"env"`
	Custom map[string]string `json:"custom"`
}

// FunctionContext belongs to one invocation.
type FunctionContext struct {
	RequestID             string
	InvokedFunctionUnique string
	ClientContext         ClientContext
	Namespace             string
	FunctionName          string
	FunctionVersion       string
	MemoryLimitInMb       int32
	TimeLimitInMs         int32
	Environment           map[string]string
	TencentcloudRegion    string
	TencentcloudAppID     string
	TencentcloudUin       string
	FunctionTrace         string
}

type contextKey struct{}

// NewContext returns a context that carries of.
func NewContext(parent context.Context, of *FunctionContext) context.Context {
	return context.WithValue(parent, contextKey{}, of)
}

// FromContext returns what the context of a handler carries.
func FromContext(ctx context.Context) (*FunctionContext, bool) {
	found, ok := ctx.Value(contextKey{}).(*FunctionContext)
	return found, ok
}
