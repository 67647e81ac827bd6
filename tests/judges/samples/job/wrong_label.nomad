# expect: no network of the group has a port "htp"
job "wrong" {
  group "g" {
    network {
      port "http" {}
    }
    task "t" {
      driver = "docker"
      config {
        image = "a"
        ports = ["htp"]
      }
    }
  }
}
