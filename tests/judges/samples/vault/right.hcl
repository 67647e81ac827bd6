# What one job may read.
path "secret/data/shop/orders/*" {
  capabilities = ["read"]
}
