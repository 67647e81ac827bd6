# expect: wrong_string.hcl:3,
datacenter = "dc1"
node_name = "a
