# expect: invalid config key adresses
datacenter = "dc1"
data_dir   = "/opt/consul"

adresses {
  http = "127.0.0.1"
}
