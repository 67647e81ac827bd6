# expect: invalid capability
path "secret/data/shop/orders/*" {
  capabilities = ["raed"]
}
