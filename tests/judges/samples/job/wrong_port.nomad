# expect: no network of the group has a port "htp"
job "wrong" {
  group "g" {
    network {
      port "http" {}
    }
    task "t" {
      driver = "exec"
      config {
        command = "/bin/echo"
        args    = ["${NOMAD_PORT_htp}"]
      }
    }
  }
}
