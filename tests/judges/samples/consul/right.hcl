datacenter = "dc1"
data_dir   = "/opt/consul"

addresses {
  http = "127.0.0.1"
}

acl {
  enabled        = true
  default_policy = "deny"
}
