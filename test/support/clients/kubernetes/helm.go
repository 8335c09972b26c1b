//go:build tools

package main

// Built beside it, of the version that go.mod names.
import _ "helm.sh/helm/v3/cmd/helm"
