# expect: <     capabilities = ["read"]
path "secret/data/shop/orders/*" {
    capabilities = ["read"]
}
