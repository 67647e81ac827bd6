namespace "shop" {
  policy       = "read"
  capabilities = ["submit-job"]

  variables {
    path "nomad/jobs/*" {
      capabilities = ["read"]
    }
  }
}

node {
  policy = "read"
}
