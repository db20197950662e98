//go:build tools

// Package apiserver pins the API server that the cluster tests run against; nothing of it is imported.
package apiserver

import _ "k8s.io/kubernetes/cmd/kube-apiserver"
