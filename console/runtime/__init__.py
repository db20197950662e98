"""The runtime witness: what a cluster's API server and its GitOps controller say, and the few things asked of them."""
