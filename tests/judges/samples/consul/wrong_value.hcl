# expect: ports.http: invalid port: 70000
datacenter = "dc1"
data_dir   = "/opt/consul"

ports {
  http = 70000
}
