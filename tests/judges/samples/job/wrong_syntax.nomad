# expect: wrong_syntax.nomad:7,
job "wrong" {
  group "g" {
    task "t" {
      driver = "exec"
      config {
        command "/bin/true"
      }
    }
  }
}
