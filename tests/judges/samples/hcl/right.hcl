datacenter = "dc1"
ports {
  http = 8500
  grpc = -1
}
key_prefix "shop/" {
  policy = "read"
}
key_prefix "" {
  policy = var.default
}
