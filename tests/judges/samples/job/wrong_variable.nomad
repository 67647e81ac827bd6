# expect: Nomad knows no such variable
job "wrong" {
  group "g" {
    task "t" {
      driver = "exec"
      config {
        command = "/bin/echo"
        args    = ["$${HOST}"]
      }
    }
  }
}
